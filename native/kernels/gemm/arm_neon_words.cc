// 4 rows x 16 columns in 16 registers; smlal adds a product of int16 to each sum.
#include <arm_neon.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr int kMr = 4;
constexpr int kNr = 16;

// sum += x * w for 16 columns.
[[gnu::always_inline]] static inline void add(int32x4_t (&sum)[4], int16_t x, int16x8_t low,
                                              int16x8_t high) {
  sum[0] = vmlal_n_s16(sum[0], vget_low_s16(low), x);
  sum[1] = vmlal_n_s16(sum[1], vget_high_s16(low), x);
  sum[2] = vmlal_n_s16(sum[2], vget_low_s16(high), x);
  sum[3] = vmlal_n_s16(sum[3], vget_high_s16(high), x);
}

template <int kRows>
static void tile(const Args& args) {
  const uint8_t* panel = static_cast<const uint8_t*>(args.panel) + kPanelHeader;
  const int32_t* bias = reinterpret_cast<const int32_t*>(panel);
  const int16_t* w = reinterpret_cast<const int16_t*>(bias + kNr);
  int32x4_t sum[kRows][4];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[i][v] = vld1q_s32(bias + 4 * v);
  }
  const void* const* pointers = args.x;
  for (size_t t = 0; t < args.taps; ++t, pointers += args.x_stride) {
    const int16_t* x[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) x[i] = static_cast<const int16_t*>(pointers[i]);
    for (size_t k = 0; k < args.depth; ++k, w += kNr) {
      const int16x8_t low = vld1q_s16(w), high = vld1q_s16(w + 8);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; ++i) add(sum[i], x[i][k], low, high);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vst1q_s32(args.acc + i * kNr + 4 * v, sum[i][v]);
  }
}

void gemm_x8w16_4x16c1_neon(const Args& args) {
  static void (*const kRows[kMr])(const Args&) = {tile<1>, tile<2>, tile<3>, tile<4>};
  kRows[args.rows - 1](args);
}

}  // namespace edge::gemm
