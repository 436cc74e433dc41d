// 4 rows x 16 columns in 16 registers; smlal multiplies 4 columns by a lane of the row's 8 k.
#include <arm_neon.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr size_t kMr = 4;
constexpr size_t kNr = 16;

// Accumulators of kRows rows, kHalves * 8 columns each.
template <int kRows, int kHalves>
using Tile = int32x4_t[kRows][kHalves * 2];

// Adds the products of lanes kLane .. 7 of x and as many rows of weights.
template <int kLane, int kRows, int kHalves>
[[gnu::always_inline]] static inline void add_lanes(Tile<kRows, kHalves>& sum,
                                                    const int16x8_t (&x)[kRows], const int16_t* w) {
  if constexpr (kLane < 8) {
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) {
      const int16x8_t b = vld1q_s16(w + h * 8);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; ++i) {
        sum[i][2 * h] = vmlal_laneq_s16(sum[i][2 * h], vget_low_s16(b), x[i], kLane);
        sum[i][2 * h + 1] = vmlal_high_laneq_s16(sum[i][2 * h + 1], b, x[i], kLane);
      }
    }
    add_lanes<kLane + 1, kRows, kHalves>(sum, x, w + kNr);
  }
}

// kRows rows of the panel's first kHalves * 8 columns.
template <int kRows, int kHalves>
static void tile(const Args& args) {
  const uint8_t* panel = static_cast<const uint8_t*>(args.panel) + kPanelHeader;
  Tile<kRows, kHalves> sum;
  const int16_t* rows[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    rows[i] = static_cast<const int16_t*>(args.x[i]);
#pragma GCC unroll 4
    for (int v = 0; v < kHalves * 2; ++v) {
      sum[i][v] = vld1q_s32(reinterpret_cast<const int32_t*>(panel) + v * 4);
    }
  }
  const int16_t* w = reinterpret_cast<const int16_t*>(panel + kNr * sizeof(int32_t));
  size_t k = 0;
  for (; k + 8 <= args.depth; k += 8, w += 8 * kNr) {
    int16x8_t x[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) x[i] = vld1q_s16(rows[i] + k);
    add_lanes<0, kRows, kHalves>(sum, x, w);
  }
  for (; k < args.depth; ++k, w += kNr) {
    int16x8_t x[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) x[i] = vdupq_n_s16(rows[i][k]);
    add_lanes<7, kRows, kHalves>(sum, x, w);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kHalves * 2; ++v) vst1q_s32(args.acc + i * kNr + v * 4, sum[i][v]);
  }
}

template <int kRows>
static void rows(const Args& args) {
  if (args.cols > 8) {
    tile<kRows, 2>(args);
  } else {
    tile<kRows, 1>(args);
  }
}

void gemm_x8w16_4x16c1_neon(const Args& args) {
  static void (*const kRows[])(const Args&) = {rows<1>, rows<2>, rows<3>, rows<4>};
  kRows[args.rows - 1](args);
}

}  // namespace edge::gemm
