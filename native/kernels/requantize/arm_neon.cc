// 8 columns at a time, all rows of the tile, so that a column's constants are made once.
#include "kernels/requantize/arm_neon.h"

namespace edge::requantize {

struct Limits {
  int32x4_t zero_point;
  uint8x8_t min, max;
};

static Limits make_limits(const Params& p) {
  return {vdupq_n_s32(p.zero_point), vdup_n_u8(static_cast<uint8_t>(p.min)),
          vdup_n_u8(static_cast<uint8_t>(p.max))};
}

// r + zero_point as clamped bytes.
template <bool kUnsigned>
static uint8x8_t pack(int32x4_t low, int32x4_t high, const Limits& limits) {
  const int16x8_t words = vcombine_s16(vqmovn_s32(vaddq_s32(low, limits.zero_point)),
                                       vqmovn_s32(vaddq_s32(high, limits.zero_point)));
  if (kUnsigned) return vmin_u8(vmax_u8(vqmovun_s16(words), limits.min), limits.max);
  const int8x8_t v = vmax_s8(vqmovn_s16(words), vreinterpret_s8_u8(limits.min));
  return vreinterpret_u8_s8(vmin_s8(v, vreinterpret_s8_u8(limits.max)));
}

static void store(uint8x8_t v, uint8_t* out, size_t cols) {
  if (cols >= 8) {
    vst1_u8(out, v);
    return;
  }
  uint8_t bytes[8];
  vst1_u8(bytes, v);
  for (size_t n = 0; n < cols; ++n) out[n] = bytes[n];
}

// All rows of 8 columns, of which `cols` exist.
template <bool kUnsigned>
[[gnu::always_inline]] static inline void dr_columns8(const Args& args, const int32_t* multiplier,
                                                      const int32_t* exponent, const int32_t* acc,
                                                      uint8_t* out, size_t cols) {
  const Limits limits = make_limits(*args.params);
  const DrNeon low = make_dr_neon(vld1q_s32(multiplier), vld1q_s32(exponent));
  const DrNeon high = make_dr_neon(vld1q_s32(multiplier + 4), vld1q_s32(exponent + 4));
  const size_t rows = args.rows, acc_stride = args.acc_stride, out_stride = args.out_stride;
  for (size_t i = 0; i < rows; ++i, acc += acc_stride, out += out_stride) {
    const int32x4_t r_low = dr_neon(vld1q_s32(acc), low);
    const int32x4_t r_high = dr_neon(vld1q_s32(acc + 4), high);
    store(pack<kUnsigned>(r_low, r_high, limits), out, cols);
  }
}

template <bool kUnsigned>
static void dr_columns(const Args& args) {
  const int32_t* multiplier = args.params->multiplier + args.first_col;
  const int32_t* exponent = args.params->exponent + args.first_col;
  size_t n = 0;
  for (; n + 8 <= args.cols; n += 8) {
    dr_columns8<kUnsigned>(args, multiplier + n, exponent + n, args.acc + n, args.out + n, 8);
  }
  if (n == args.cols) return;
  int32_t m[8] = {}, e[8] = {};
  for (size_t c = n; c < args.cols; ++c) {
    m[c - n] = multiplier[c];
    e[c - n] = exponent[c];
  }
  dr_columns8<kUnsigned>(args, m, e, args.acc + n, args.out + n, args.cols - n);
}

void requantize_dr_neon(const Args& args) {
  if (args.params->min >= 0) {
    dr_columns<true>(args);
  } else {
    dr_columns<false>(args);
  }
}

#ifdef __aarch64__  // has vectors of doubles

// round_half_away(x * scale) for 2 columns, INT32_MIN where that does not fit.
static int32x2_t real2(int32x2_t x, float64x2_t scale) {
  const float64x2_t r = vrndaq_f64(vmulq_f64(vcvtq_f64_s64(vmovl_s32(x)), scale));
  const uint64x2_t fits = vcltq_f64(vabsq_f64(r), vdupq_n_f64(0x1p31));
  return vmovn_s64(vbslq_s64(fits, vcvtq_s64_f64(r), vdupq_n_s64(INT32_MIN)));
}

static int32x4_t real4(int32x4_t x, const double* scale) {
  return vcombine_s32(real2(vget_low_s32(x), vld1q_f64(scale)),
                      real2(vget_high_s32(x), vld1q_f64(scale + 2)));
}

template <bool kUnsigned>
static void real_columns(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  const Limits limits = make_limits(p);
  for (size_t n = 0; n < args.cols; n += 8) {
    const size_t cols = args.cols - n;
    double scales[8] = {};
    for (size_t c = 0; c < 8 && c < cols; ++c) scales[c] = scale[n + c];
    for (size_t i = 0; i < args.rows; ++i) {
      const int32_t* acc = args.acc + i * args.acc_stride + n;
      const int32x4_t low = real4(vld1q_s32(acc), scales);
      const int32x4_t high = real4(vld1q_s32(acc + 4), scales + 4);
      store(pack<kUnsigned>(low, high, limits), args.out + i * args.out_stride + n, cols);
    }
  }
}

void requantize_real_neon(const Args& args) {
  if (args.params->min >= 0) {
    real_columns<true>(args);
  } else {
    real_columns<false>(args);
  }
}

// floor(x * scale + 0.5) for 2 columns, saturated.
static int32x2_t reduced2(int32x2_t x, float64x2_t scale) {
  const float64x2_t v = vfmaq_f64(vdupq_n_f64(0.5), vcvtq_f64_s64(vmovl_s32(x)), scale);
  return vqmovn_s64(vcvtmq_s64_f64(v));
}

// int16 results of 8 columns at a time.
template <int32x2_t (*kRound)(int32x2_t, float64x2_t)>
static void wide(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  const int16x8_t min = vdupq_n_s16(static_cast<int16_t>(p.min));
  const int16x8_t max = vdupq_n_s16(static_cast<int16_t>(p.max));
  for (size_t n = 0; n < args.cols; n += 8) {
    const size_t cols = args.cols - n < 8 ? args.cols - n : 8;
    double scales[8] = {};
    for (size_t c = 0; c < cols; ++c) scales[c] = scale[n + c];
    const int32_t* acc = args.acc + n;
    int16_t* out = reinterpret_cast<int16_t*>(args.out) + n;
    for (size_t i = 0; i < args.rows; ++i, acc += args.acc_stride, out += args.out_stride) {
      int32x2_t r[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) r[j] = kRound(vld1_s32(acc + 2 * j), vld1q_f64(scales + 2 * j));
      const int16x8_t both =
          vcombine_s16(vqmovn_s32(vcombine_s32(r[0], r[1])), vqmovn_s32(vcombine_s32(r[2], r[3])));
      const int16x8_t v = vminq_s16(vmaxq_s16(both, min), max);
      if (cols == 8) {
        vst1q_s16(out, v);
      } else {
        int16_t values[8];
        vst1q_s16(values, v);
        for (size_t c = 0; c < cols; ++c) out[c] = values[c];
      }
    }
  }
}

void requantize_wide_real_neon(const Args& args) { wide<real2>(args); }
void requantize_wide_reduced_neon(const Args& args) { wide<reduced2>(args); }

#endif

}  // namespace edge::requantize
