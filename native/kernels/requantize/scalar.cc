// The definition of all rules.
#include <cmath>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// out = clamp(R(acc, column) + zero_point), as T or, for bytes, its low bits.
template <typename T, typename R>
static void each(const Args& args, const R& round) {
  const Params& p = *args.params;
  T* out = reinterpret_cast<T*>(args.out);
  for (size_t i = 0; i < args.rows; ++i) {
    for (size_t n = 0; n < args.cols; ++n) {
      const int32_t r = round(args.acc[i * args.acc_stride + n], args.first_col + n);
      int32_t v = wrapping_add(r, p.zero_point);
      v = v < p.min ? p.min : v;
      v = v > p.max ? p.max : v;
      out[i * args.out_stride + n] = static_cast<T>(v);
    }
  }
}

template <typename T>
static void double_rounding(const Args& args) {
  const Params& p = *args.params;
  each<T>(args,
          [&](int32_t x, size_t n) { return double_round(x, p.multiplier[n], p.exponent[n]); });
}

static int32_t whole(double r) {
  return r >= -0x1p31 && r < 0x1p31 ? static_cast<int32_t>(r) : INT32_MIN;
}

template <typename T>
static void real(const Args& args) {
  each<T>(args, [&](int32_t x, size_t n) { return whole(std::round(x * args.params->scale[n])); });
}

void requantize_dr_scalar(const Args& args) { double_rounding<uint8_t>(args); }
void requantize_real_scalar(const Args& args) { real<uint8_t>(args); }
void requantize_wide_dr_scalar(const Args& args) { double_rounding<int16_t>(args); }
void requantize_wide_real_scalar(const Args& args) { real<int16_t>(args); }
void requantize_wide_reduced_scalar(const Args& args) {
  each<int16_t>(args, [&](int32_t x, size_t n) {
    return whole(std::floor(x * args.params->scale[n] + 0.5));
  });
}

}  // namespace edge::requantize
