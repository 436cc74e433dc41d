// Rescaling of single values as TFLite's reference does it, for scales however far apart: models
// with absurd ones exist, and give the reference's codes here too.
#pragma once

#include <cmath>

#include "base/status.h"
#include "kernels/requantize/requantize.h"
#include "kernels/softmax/fixed_point.h"

namespace edge {

// `value` as a multiplier, or kInvalidModel where it is infinite or no number.
inline Result<requantize::Multiplier> fixed_point(double value) {
  if (!(value >= 0 && std::isfinite(value))) {
    return invalid_model(format("its scales ask for an impossible factor of %g", value));
  }
  return requantize::quantize_multiplier(value);
}

// x / 2^exponent, rounded half away from zero. Where the exponent is not in [0, 31] the reference
// leaves C++'s definition: processors take its 32-bit shift modulo 32, and the 64-bit one of the
// mask modulo 64.
inline int32_t round_shift(int32_t x, int exponent) {
  const int32_t mask = static_cast<int32_t>((uint64_t{1} << (exponent & 63)) - 1);
  const int32_t threshold = (mask >> 1) + (x < 0);
  return requantize::wrapping_add(x >> (exponent & 31), (x & mask) > threshold);
}

// DR of requantize.h, extended as above to exponents beyond 31.
inline int32_t rescale(int32_t x, const requantize::Multiplier& m) {
  if (m.e <= 0) return round_shift(softmax::multiply(x, m.m), -m.e);
  const uint32_t shifted = static_cast<uint32_t>(x) << (m.e & 31);
  return softmax::multiply(static_cast<int32_t>(shifted), m.m);
}

}  // namespace edge
