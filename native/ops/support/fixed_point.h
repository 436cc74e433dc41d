// Multipliers for ops that rescale single values: requantize.h's DR with what a file may say
// checked.
#pragma once

#include <cmath>

#include "base/status.h"
#include "kernels/requantize/requantize.h"

namespace edge {

// `value` as a multiplier of DR, or kInvalidModel where it is no number below 2^31 (scales that
// no converter writes, and whose product or quotient overflows).
inline Result<requantize::Multiplier> fixed_point(double value) {
  if (!(value >= 0 && value < 0x1p31)) {
    return invalid_model(format("its scales ask for an impossible factor of %g", value));
  }
  return requantize::quantize_multiplier(value);
}

inline int32_t rescale(int32_t x, const requantize::Multiplier& m) {
  return requantize::double_round(x, m.m, m.e);
}

}  // namespace edge
