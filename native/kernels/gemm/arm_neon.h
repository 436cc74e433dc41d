// What the tiles of all ARM kernels do with their sums; for NEON files only.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/requantize/arm_neon.h"

namespace edge::gemm {

// The arrays of a panel whose Operand is not kInt16.
struct PanelNeon {
  const int32_t *b, *c, *multiplier, *exponent;
  const int8_t* w;
  const uint32_t* list;  // of listed steps
};

template <size_t kNr>
[[gnu::always_inline]] static inline PanelNeon panel_neon(const void* panel) {
  const uint8_t* base = static_cast<const uint8_t*>(panel) + kPanelHeader;
  const int32_t* b = reinterpret_cast<const int32_t*>(base);
  const int8_t* w = reinterpret_cast<const int8_t*>(b + 4 * kNr);
  const uint32_t* list = list_of(*static_cast<const PanelHeader*>(panel), w);
  return {b, b + kNr, b + 2 * kNr, b + 3 * kNr, w, list};
}

// What all tiles of a call share. Kept apart from Args, which stores to `out` might overwrite for
// all that a compiler knows.
struct Finish16 {
  requantize::FixedNeon fixed;
  bool narrow;
};

[[gnu::always_inline]] static inline Finish16 make_finish16(const Args& args) {
  const auto fixed = requantize::make_fixed_neon(args.output, args.out_flip);
  const PanelHeader& header = *static_cast<const PanelHeader*>(args.panel);
  return {fixed, requantize::narrows(fixed, header.finish)};
}

// Rows [first, first + rows) of kVectors * 4 columns; kRows >= rows.
template <size_t kNr, int kRows, int kVectors>
[[gnu::always_inline]] static inline void finish_tile(const Args& args, const Finish16& finish,
                                                      size_t first, size_t rows,
                                                      int32x4_t (&sum)[kRows][kVectors]) {
  const PanelNeon panel = panel_neon<kNr>(args.panel);
  if (args.sums != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int32x4_t c = vld1q_s32(panel.c + v * 4);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const size_t row = first + (static_cast<size_t>(i) < rows ? i : 0);
        sum[i][v] = vmlaq_n_s32(sum[i][v], c, args.sums[row]);
      }
    }
  }
  if (args.acc != nullptr) {
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) vst1q_s32(args.acc + i * kNr + v * 4, sum[i][v]);
    }
    return;
  }
  int8x16_t bytes[kRows];
  requantize::finish_rows_neon(sum, panel.multiplier, panel.exponent, finish.fixed, finish.narrow,
                               bytes);
  requantize::store_rows_neon<kVectors * 4>(bytes, rows, args.out + first * args.out_stride,
                                            args.out_stride, args.cols);
}

}  // namespace edge::gemm
