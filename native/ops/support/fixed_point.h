// Multipliers for ops that rescale single values: requantize.h's DR with what a file may say checked.
#pragma once

#include <cmath>

#include "base/status.h"
#include "kernels/requantize/requantize.h"

namespace edge {

// `value` as mantissa and exponent, or kInvalidModel where scales that no converter writes make it
// infinite.
inline Result<requantize::Multiplier> split_multiplier(double value) {
  if (!(value >= 0 && std::isfinite(value))) {
    return invalid_model(format("its scales ask for an impossible factor of %g", value));
  }
  return requantize::quantize_multiplier(value);
}

// As above, for DR. Factors from 2^31 on make the reference shift by more bits than an int32 has,
// which its processors take modulo 32; there are models that have them.
inline Result<requantize::Multiplier> fixed_point(double value) {
  EDGE_ASSIGN(requantize::Multiplier m, split_multiplier(value));
  if (m.e > 31) m.e &= 31;
  return m;
}

inline int32_t rescale(int32_t x, const requantize::Multiplier& m) {
  return requantize::double_round(x, m.m, m.e);
}

}  // namespace edge
