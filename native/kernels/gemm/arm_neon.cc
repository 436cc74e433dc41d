// 4 rows x 16 columns in 16 registers; smlal multiplies 4 columns by a lane of the row's 8 k.
#include <arm_neon.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr size_t kMr = 4;
constexpr size_t kNr = 16;

template <bool kUnsigned>
static void load_rows(const LoadArgs& args) {
  for (size_t i = 0; i < args.rows; ++i) {
    int16_t* loaded =
        reinterpret_cast<int16_t*>(static_cast<uint8_t*>(args.loaded) + i * args.loaded_stride);
    for (size_t t = 0; t < args.taps; ++t, loaded += args.depth) {
      const uint8_t* x = static_cast<const uint8_t*>(args.x[t * kMr + i]);
      // The last store of a tap runs over into the next one, which then overwrites it.
      for (size_t k = 0; k < args.depth; k += 16) {
        const uint8x16_t bytes = vld1q_u8(x + k);
        if (kUnsigned) {
          vst1q_s16(loaded + k, vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))));
          vst1q_s16(loaded + k + 8, vreinterpretq_s16_u16(vmovl_high_u8(bytes)));
        } else {
          const int8x16_t codes = vreinterpretq_s8_u8(bytes);
          vst1q_s16(loaded + k, vmovl_s8(vget_low_s8(codes)));
          vst1q_s16(loaded + k + 8, vmovl_high_s8(codes));
        }
      }
    }
  }
}

void gemm_x8w16_4x16c1_neon_load(const LoadArgs& args) {
  if (args.x_unsigned) {
    load_rows<true>(args);
  } else {
    load_rows<false>(args);
  }
}

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

// One panel for kRows rows, its first kHalves * 8 columns.
template <int kRows, int kHalves>
static void tile(const Args& args, const uint8_t* panel, int32_t* acc) {
  Tile<kRows, kHalves> sum;
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kHalves * 2; ++v) {
      sum[i][v] = vld1q_s32(reinterpret_cast<const int32_t*>(panel) + v * 4);
    }
  }
  const int16_t* w = reinterpret_cast<const int16_t*>(panel + kNr * sizeof(int32_t));
  const int16_t* loaded = static_cast<const int16_t*>(args.loaded);
  const size_t depth = args.depth, stride = args.loaded_stride / sizeof(int16_t);
  size_t k = 0;
  for (; k + 8 <= depth; k += 8, w += 8 * kNr) {
    int16x8_t x[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) x[i] = vld1q_s16(loaded + i * stride + k);
    add_lanes<0, kRows, kHalves>(sum, x, w);
  }
  for (; k < depth; ++k, w += kNr) {
    int16x8_t x[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) x[i] = vdupq_n_s16(loaded[i * stride + k]);
    add_lanes<7, kRows, kHalves>(sum, x, w);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kHalves * 2; ++v) {
      vst1q_s32(acc + static_cast<size_t>(i) * args.acc_stride + v * 4, sum[i][v]);
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const size_t panel_bytes = kNr * (sizeof(int32_t) + args.depth * sizeof(int16_t));
  const uint8_t* panel = static_cast<const uint8_t*>(args.weights);
  size_t n = 0;
  for (; n + 8 < args.cols; n += kNr, panel += panel_bytes) {
    tile<kRows, 2>(args, panel, args.acc + n);
  }
  if (n < args.cols) tile<kRows, 1>(args, panel, args.acc + n);
}

void gemm_x8w16_4x16c1_neon(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>, panels<4>};
  kPanels[args.rows - 1](args);
}

}  // namespace edge::gemm
