// The definition of both rules.
#include <cmath>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

void requantize_dr_scalar(const Args& args) {
  const Params& p = *args.params;
  const int32_t* multiplier = p.multiplier + args.first_col;
  const int32_t* exponent = p.exponent + args.first_col;
  for (size_t i = 0; i < args.rows; ++i) {
    for (size_t n = 0; n < args.cols; ++n) {
      const int32_t r = double_round(args.acc[i * args.acc_stride + n], multiplier[n], exponent[n]);
      int32_t v = wrapping_add(r, p.zero_point);
      v = v < p.min ? p.min : v;
      v = v > p.max ? p.max : v;
      args.out[i * args.out_stride + n] = static_cast<uint8_t>(v);
    }
  }
}

void requantize_real_scalar(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  for (size_t i = 0; i < args.rows; ++i) {
    for (size_t n = 0; n < args.cols; ++n) {
      const double r = std::round(args.acc[i * args.acc_stride + n] * scale[n]);
      const bool fits = r >= -0x1p31 && r < 0x1p31;
      int32_t v = wrapping_add(fits ? static_cast<int32_t>(r) : INT32_MIN, p.zero_point);
      v = v < p.min ? p.min : v;
      v = v > p.max ? p.max : v;
      args.out[i * args.out_stride + n] = static_cast<uint8_t>(v);
    }
  }
}

}  // namespace edge::requantize
