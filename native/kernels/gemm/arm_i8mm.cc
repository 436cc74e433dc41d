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

// 8 k of each pair of rows.
template <bool kFlip, int kRowPairs>
[[gnu::always_inline]] static inline void load(int8x16_t (&x)[kRowPairs],
                                               const int8_t* const (&from)[2 * kRowPairs],
                                               size_t k) {
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) {
    int8x16_t other;
    __asm__ volatile("ldr %d0, [%2, %4]\n\tldr %d1, [%3, %4]\n\tzip1 %0.2d, %0.2d, %1.2d"
                     : "=&w"(x[p]), "=&w"(other)
                     : "r"(from[2 * p]), "r"(from[2 * p + 1]), "r"(k));
    if (kFlip) x[p] = veorq_s8(x[p], vdupq_n_s8(-128));
  }
}

// A panel's arrays with each pair of columns twice, as sums of two rows take them.
struct Twice {
  int32_t b[2 * kNr], multiplier[2 * kNr], exponent[2 * kNr];
};

[[gnu::always_inline]] static inline void copy_twice(const int32_t* from, int32_t* to) {
#pragma GCC unroll 4
  for (int n = 0; n < kNr; n += 4) {
    const int64x2_t pairs = vreinterpretq_s64_s32(vld1q_s32(from + n));
    vst1q_s32(to + 2 * n, vreinterpretq_s32_s64(vzip1q_s64(pairs, pairs)));
    vst1q_s32(to + 2 * n + 4, vreinterpretq_s32_s64(vzip2q_s64(pairs, pairs)));
  }
}

[[gnu::always_inline]] static inline void fill_twice(const void* packed, Twice& twice) {
  const PanelNeon panel = panel_neon<kNr>(packed);
  copy_twice(panel.b, twice.b);
  copy_twice(panel.multiplier, twice.multiplier);
  copy_twice(panel.exponent, twice.exponent);
  __asm__ volatile("" : : "r"(&twice) : "memory");  // for neon::load_pair()
}

// Pairs [kFirst, kFirst + 4) of the columns begin with their biases.
template <int kFirst, int kRowPairs, int kPairs>
[[gnu::always_inline]] static inline void start_pairs(const int32_t* b,
                                                      int32x4_t (&sum)[kRowPairs][kPairs]) {
#pragma GCC unroll 3
  for (int p = 0; p < kRowPairs; ++p) {
    neon::load_pair<kFirst * 16>(b, sum[p][kFirst], sum[p][kFirst + 1]);
    neon::load_pair<kFirst * 16 + 32>(b, sum[p][kFirst + 2], sum[p][kFirst + 3]);
  }
}

// `rows` rows, from `first` on, of the panel's first kPairs * 2 columns.
template <int kRowPairs, int kPairs, bool kFlip, bool kListed>
[[gnu::always_inline]] static inline void tile(const Args& args, const Finish16& finish,
                                               const Twice& twice, size_t first, size_t rows) {
  const PanelNeon panel = panel_neon<kNr>(args.panel);
  int32x4_t sum[kRowPairs][kPairs];
  if constexpr (kPairs == 8) {
    start_pairs<0>(twice.b, sum);
    start_pairs<4>(twice.b, sum);
  } else {
    start_pairs<0>(twice.b, sum);
  }
  const int8_t* w = panel.w;
  const uint32_t* list = panel.list;
  const void* const* pointers = args.x + first;
  for (size_t t = args.taps; t > 0; --t, pointers += args.x_stride) {
    const int8_t* from[2 * kRowPairs];
#pragma GCC unroll 6
    for (int i = 0; i < 2 * kRowPairs; ++i) {
      const bool odd = i == 2 * kRowPairs - 1 && rows % 2 != 0;
      from[i] = static_cast<const int8_t*>(pointers[odd ? i - 1 : i]);
    }
    int8x16_t x[kRowPairs], next[kRowPairs];
    if (kListed) {
      for (uint32_t steps = *list++; steps > 0; --steps, w += 8 * kNr) {
        load<kFlip>(x, from, *list++);
        step<0>(sum, x, w);
      }
      continue;
    }
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
  if (finish.narrow && args.acc == nullptr && args.sums == nullptr) {
    // As long as possible with both rows of a pair in a register.
    int32x4_t half[2][kRowPairs][4];
    int8x16_t pairs[2][kRowPairs], bytes[2 * kRowPairs];
#pragma GCC unroll 2
    for (int h = 0; h < kPairs / 4; ++h) {
#pragma GCC unroll 3
      for (int p = 0; p < kRowPairs; ++p) {
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) half[h][p][v] = sum[p][4 * h + v];
      }
      requantize::narrow_rows_neon(half[h], twice.multiplier + 16 * h, twice.exponent + 16 * h,
                                   false, pairs[h]);
    }
#pragma GCC unroll 3
    for (int p = 0; p < kRowPairs; ++p) {
      const int16x8_t low = vreinterpretq_s16_s8(pairs[0][p]);
      const int16x8_t high = vreinterpretq_s16_s8(pairs[kPairs / 4 - 1][p]);
      bytes[2 * p] = vreinterpretq_s8_s16(vuzp1q_s16(low, high));
      bytes[2 * p + 1] = vreinterpretq_s8_s16(vuzp2q_s16(low, high));
    }
    uint8_t* out = args.out + first * args.out_stride;
    if (finish.fixed.cut) {
      requantize::cut_neon(finish.fixed, bytes);
      requantize::store_rows_neon<kPairs * 2>(bytes, rows, out, args.out_stride, args.cols);
    } else {
      requantize::store_rows_neon<kPairs * 2>(bytes, rows, out, args.out_stride, args.cols);
    }
    return;
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
  finish_tile<kNr>(args, finish, first, rows, by_row);
}

template <int kRowPairs, int kPairs, bool kFlip, bool kListed>
static void rest(const Args& args, size_t first) {
  Twice twice;
  fill_twice(args.panel, twice);
  tile<kRowPairs, kPairs, kFlip, kListed>(args, make_finish16(args), twice, first,
                                          args.rows - first);
}

template <int kPairs, bool kFlip, bool kListed>
static void tiles(const Args& all) {
  const Args args = all;
  const Finish16 finish = make_finish16(args);
  Twice twice;
  fill_twice(args.panel, twice);
  size_t i = 0;
  for (; i + kMr <= args.rows; i += kMr)
    tile<kMr / 2, kPairs, kFlip, kListed>(args, finish, twice, i, kMr);
  static void (*const kRest[kMr / 2])(const Args&, size_t) = {rest<1, kPairs, kFlip, kListed>,
                                                              rest<2, kPairs, kFlip, kListed>,
                                                              rest<3, kPairs, kFlip, kListed>};
  if (i < args.rows) kRest[(args.rows - i - 1) / 2](all, i);
}

template <bool kListed>
static void run_tiles(const Args& args) {
  constexpr int kNarrow = kListed ? 8 : 4;
  if (args.cols > 8) {
    (args.flip ? tiles<8, true, kListed> : tiles<8, false, kListed>)(args);
  } else {
    (args.flip ? tiles<kNarrow, true, kListed> : tiles<kNarrow, false, kListed>)(args);
  }
}

void gemm_x8w8_6x16c8_i8mm(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_6x16s8_i8mm(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
