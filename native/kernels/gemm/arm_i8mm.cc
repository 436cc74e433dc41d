// 3 pairs of rows x 8 pairs of columns in 24 registers; smmla adds 8 products to each of 2 x 2
// sums.
#include "kernels/gemm/arm_neon.h"

namespace edge::gemm {

constexpr int kMr = 6;
constexpr int kNr = 16;

// GCC 12 reorders its intrinsics until the accumulators no longer fit the registers.
[[gnu::always_inline]] static inline void multiply_add(int32x4_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(w));
}

// Two pairs of columns, kOffset bytes behind w, times 8 k of each pair of rows.
template <int kOffset, int kPair, int kRowPairs, int kPairs>
[[gnu::always_inline]] static inline void columns(int32x4_t (&sum)[kRowPairs][kPairs],
                                                  const int8x16_t (&x)[kRowPairs],
                                                  const int8_t* w) {
  int8x16_t low, high;
  __asm__ volatile("ldp %q0, %q1, [%2, %3]"
                   : "=w"(low), "=w"(high)
                   : "r"(w), "i"(kOffset + kPair * 16));
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) multiply_add(sum[p][kPair], x[p], low);
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) multiply_add(sum[p][kPair + 1], x[p], high);
}

// Step kStep of 8 k.
template <int kStep, int kRowPairs, int kPairs>
[[gnu::always_inline]] static inline void step(int32x4_t (&sum)[kRowPairs][kPairs],
                                               const int8x16_t (&x)[kRowPairs], const int8_t* w) {
  constexpr int kOffset = kStep * kNr * 8;
  columns<kOffset, 0>(sum, x, w);
  columns<kOffset, 2>(sum, x, w);
  if constexpr (kPairs == 8) {
    columns<kOffset, 4>(sum, x, w);
    columns<kOffset, 6>(sum, x, w);
  }
}

// 16 k of each pair of rows, in halves; the last may lie beyond its end.
template <bool kFlip, int kRowPairs>
[[gnu::always_inline]] static inline void load(int8x16_t (&low)[kRowPairs],
                                               int8x16_t (&high)[kRowPairs],
                                               const int8_t* const (&from)[2 * kRowPairs],
                                               size_t k) {
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) {
    int8x16_t other;
    __asm__ volatile(
        "ldr %q1, [%3, %5]\n\tldr %q2, [%4, %5]\n\t"
        "zip1 %0.2d, %1.2d, %2.2d\n\tzip2 %1.2d, %1.2d, %2.2d"
        : "=&w"(low[p]), "=&w"(high[p]), "=&w"(other)
        : "r"(from[2 * p]), "r"(from[2 * p + 1]), "r"(k));
    if (kFlip) {
      low[p] = veorq_s8(low[p], vdupq_n_s8(-128));
      high[p] = veorq_s8(high[p], vdupq_n_s8(-128));
    }
  }
}

// `rows` rows, from `first` on, of the panel's first kPairs * 2 columns.
template <int kRowPairs, int kPairs, bool kFlip>
[[gnu::always_inline]] static inline void tile(const Args& args, const requantize::FixedNeon& fixed,
                                               size_t first, size_t rows) {
  const PanelNeon<kNr> panel(args.panel);
  int32x4_t sum[kRowPairs][kPairs];
#pragma GCC unroll 8
  for (int j = 0; j < kPairs; ++j) {
    int32x4_t b;
    __asm__("ld1r {%0.2d}, %1"
            : "=w"(b)
            : "Q"(*reinterpret_cast<const int32x2_t*>(panel.b + j * 2)));
#pragma GCC unroll 3
    for (int p = 0; p < kRowPairs; ++p) sum[p][j] = b;
  }
  const int8_t* w = panel.w;
  const void* const* pointers = args.x + first;
  for (size_t t = args.taps; t > 0; --t, pointers += args.x_stride) {
    const int8_t* from[2 * kRowPairs];
#pragma GCC unroll 6
    for (int i = 0; i < 2 * kRowPairs; ++i) {
      const bool odd = i == 2 * kRowPairs - 1 && rows % 2 != 0;
      from[i] = static_cast<const int8_t*>(pointers[odd ? i - 1 : i]);
    }
    int8x16_t x[kRowPairs], next[kRowPairs];
    const size_t whole = args.depth & ~size_t{15}, left = args.depth & 15;
    for (size_t k = 0; k < whole; k += 16, w += 16 * kNr) {
      load<kFlip>(x, next, from, k);
      step<0>(sum, x, w);
      step<1>(sum, next, w);
    }
    if (left == 0) continue;
    load<kFlip>(x, next, from, whole);
    step<0>(sum, x, w);
    if (left > 8) step<1>(sum, next, w);
    w += (left + 7) / 8 * 8 * kNr;
  }
  int32x4_t by_row[2 * kRowPairs][kPairs / 2];
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kPairs / 2; ++v) {
      int32x4_t b = sum[p][2 * v + 1], even;
      __asm__ volatile("zip1 %0.2d, %2.2d, %1.2d\n\tzip2 %1.2d, %2.2d, %1.2d"
                       : "=&w"(even), "+w"(b)
                       : "w"(sum[p][2 * v]));
      by_row[2 * p][v] = even;
      by_row[2 * p + 1][v] = b;
    }
  }
  finish_tile<kNr>(args, fixed, first, rows, by_row);
}

template <int kRowPairs, int kPairs, bool kFlip>
static void rest(const Args& args, const requantize::FixedNeon& fixed, size_t first) {
  tile<kRowPairs, kPairs, kFlip>(args, fixed, first, args.rows - first);
}

template <int kPairs, bool kFlip>
static void tiles(const Args& args) {
  const auto fixed = requantize::make_fixed_neon(args.output, args.out_flip);
  size_t i = 0;
  for (; i + kMr <= args.rows; i += kMr) tile<kMr / 2, kPairs, kFlip>(args, fixed, i, kMr);
  static void (*const kRest[kMr / 2])(const Args&, const requantize::FixedNeon&, size_t) = {
      rest<1, kPairs, kFlip>, rest<2, kPairs, kFlip>, rest<3, kPairs, kFlip>};
  if (i < args.rows) kRest[(args.rows - i - 1) / 2](args, fixed, i);
}

void gemm_x8w8_6x16c8_i8mm(const Args& args) {
  if (args.cols > 8) {
    (args.flip ? tiles<8, true> : tiles<8, false>)(args);
  } else {
    (args.flip ? tiles<4, true> : tiles<4, false>)(args);
  }
}

}  // namespace edge::gemm
