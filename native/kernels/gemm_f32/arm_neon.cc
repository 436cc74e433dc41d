// 6 rows x 8 columns in 12 registers (4 rows in 8 on 32-bit ARM); fmla multiplies 4 columns by a
// lane of the row's 4 k.
#include "kernels/arm_neon.h"

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

constexpr size_t kNr = 8;

// Adds the products of lanes kLane .. 3 of x and as many rows of weights.
template <int kLane, int kRows>
[[gnu::always_inline]] static inline void add_lanes(float32x4_t (&sum)[kRows][2],
                                                    const float32x4_t (&x)[kRows], const float* w) {
  if constexpr (kLane < 4) {
    const float32x4_t low = vld1q_f32(w), high = vld1q_f32(w + 4);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      sum[i][0] = neon::multiply_add_lane<kLane>(sum[i][0], low, x[i]);
      sum[i][1] = neon::multiply_add_lane<kLane>(sum[i][1], high, x[i]);
    }
    add_lanes<kLane + 1, kRows>(sum, x, w + kNr);
  }
}

// v clamped; a NaN stays one.
static float32x4_t clamp(float32x4_t v, float min, float max) {
  return vminq_f32(vmaxq_f32(v, vdupq_n_f32(min)), vdupq_n_f32(max));
}

template <int kRows>
static void tile(const Args& args, const float* w, float* out, size_t cols) {
  float32x4_t sum[kRows][2];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    sum[i][0] = vld1q_f32(w);
    sum[i][1] = vld1q_f32(w + 4);
  }
  w += kNr;
  const size_t depth = args.depth;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* const* x = args.x + t * args.x_stride;
    size_t k = 0;
    for (; k + 4 <= depth; k += 4, w += 4 * kNr) {
      float32x4_t v[kRows];
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) v[i] = vld1q_f32(x[i] + k);
      add_lanes<0, kRows>(sum, v, w);
    }
    for (; k < depth; ++k, w += kNr) {
      float32x4_t v[kRows];
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) v[i] = vdupq_n_f32(x[i][k]);
      add_lanes<3, kRows>(sum, v, w);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    const float32x4_t low = clamp(sum[i][0], args.min, args.max);
    const float32x4_t high = clamp(sum[i][1], args.min, args.max);
    float* row = out + static_cast<size_t>(i) * args.out_stride;
    if (cols >= kNr) {
      vst1q_f32(row, low);
      vst1q_f32(row + 4, high);
    } else {
      float values[kNr];
      vst1q_f32(values, low);
      vst1q_f32(values + 4, high);
      for (size_t n = 0; n < cols; ++n) row[n] = values[n];
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const float* panel = args.weights;
  for (size_t n = 0; n < args.cols; n += kNr) {
    tile<kRows>(args, panel, args.out + n, args.cols - n);
    panel += kNr * (1 + args.taps * args.depth);
  }
}

#ifdef __aarch64__
void gemm_f32_6x8_neon(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>,
                                                 panels<4>, panels<5>, panels<6>};
  kPanels[args.rows - 1](args);
}
#else
void gemm_f32_4x8_neon(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>, panels<4>};
  kPanels[args.rows - 1](args);
}
#endif

}  // namespace edge::gemm_f32
