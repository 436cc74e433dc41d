// 4 rows x 16 columns in 16 registers (2 rows in 8 on 32-bit ARM). smull and smlal add up products
// of int8 in int16, 4 columns and 2 k in a register, as many as fit; sadalp then adds both k of a
// column to its sum.
#include "kernels/gemm/arm_neon.h"

namespace edge::gemm {

using neon::add_high;
using neon::add_low;
using neon::add_pairs;
using neon::multiply_high;
using neon::multiply_low;

constexpr int kMr = neon::kRegisters == 32 ? 4 : 2;
constexpr int kNr = 16;

// 4 columns of a step of 8 k: the first 4 k in x, one pair for each column, the others in next.
template <Chain kChain, int kVector, int kRows, int kVectors>
[[gnu::always_inline]] static inline void columns(int32x4_t (&sum)[kRows][kVectors],
                                                  const int8x16_t (&x)[kRows],
                                                  const int8x16_t (&next)[kRows], const int8_t* w) {
  int8x16_t low, high;  // weights of 4 columns and 8 k
  neon::load_pair<kVector * 32>(w, low, high);
  int16x8_t p[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) multiply_low(p[i], x[i], low);
  if (kChain == kOne) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_pairs(sum[i][kVector], p[i]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) multiply_high(p[i], x[i], low);
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_high(p[i], x[i], low);
  }
  if (kChain != kFour) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_pairs(sum[i][kVector], p[i]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) multiply_low(p[i], next[i], high);
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_low(p[i], next[i], high);
  }
  if (kChain == kOne) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_pairs(sum[i][kVector], p[i]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) multiply_high(p[i], next[i], high);
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_high(p[i], next[i], high);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) add_pairs(sum[i][kVector], p[i]);
}

template <Chain kChain, int kRows, int kVectors>
[[gnu::always_inline]] static inline void step(int32x4_t (&sum)[kRows][kVectors],
                                               const int8x16_t (&x)[kRows],
                                               const int8x16_t (&next)[kRows], const int8_t* w) {
  columns<kChain, 0>(sum, x, next, w);
  columns<kChain, 1>(sum, x, next, w);
  if constexpr (kVectors == 4) {
    columns<kChain, 2>(sum, x, next, w);
    columns<kChain, 3>(sum, x, next, w);
  }
  // Otherwise GCC 12 copies the last products to registers of x, which nobody reads any more.
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) __asm__ volatile("" : : "w"(x[i]), "w"(next[i]));
}

// The step of 8 k from k on.
template <bool kFlip, int kRows, int kVectors>
[[gnu::always_inline]] static inline void step(int32x4_t (&sum)[kRows][kVectors],
                                               const int8_t* const (&from)[kRows], size_t k,
                                               const neon::Spread& spread, uint8_t chain,
                                               const int8_t* w) {
  int8x16_t x[kRows], next[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) neon::load_low(from[i], k, x[i]);
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    if (kFlip) x[i] = veorq_s8(x[i], vdupq_n_s8(-128));
    neon::spread_pairs(spread, x[i], next[i]);
  }
  if (chain == kFour) {
    step<kFour>(sum, x, next, w);
  } else if (chain == kTwo) {
    step<kTwo>(sum, x, next, w);
  } else {
    step<kOne>(sum, x, next, w);
  }
}

// kRows rows, from `first` on, of the panel's first kVectors * 4 columns.
template <int kRows, int kVectors, bool kFlip, bool kListed>
[[gnu::always_inline]] static inline void tile(const Args& args, const Finish16& finish,
                                               size_t first) {
  const neon::Spread spread = neon::make_spread();
  const PanelNeon panel = panel_neon<kNr>(args.panel);
  int32x4_t sum[kRows][kVectors];
  requantize::start_rows_neon(panel.b, sum);
  const int8_t* w = panel.w;
  const uint32_t* list = panel.list;
  const size_t depth = args.depth;
  const uint8_t* chain = reinterpret_cast<const uint8_t*>(w) +
                         static_cast<const PanelHeader*>(args.panel)->steps * kNr * 8;
  const void* const* pointers = args.x + first;
  for (size_t t = args.taps; t > 0; --t, pointers += args.x_stride) {
    const int8_t* from[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) from[i] = static_cast<const int8_t*>(pointers[i]);
    if (kListed) {
      for (uint32_t steps = *list++; steps > 0; --steps, w += kNr * 8) {
        step<kFlip>(sum, from, *list++, spread, *chain++, w);
      }
    } else {
      for (size_t k = 0; k < depth; k += 8, w += kNr * 8) {
        step<kFlip>(sum, from, k, spread, *chain++, w);
      }
    }
  }
  finish_tile<kNr>(args, finish, first, kRows, sum);
}

template <int kRows, int kVectors, bool kFlip, bool kListed>
static void rest(const Args& args, size_t first) {
  tile<kRows, kVectors, kFlip, kListed>(args, make_finish16(args), first);
}

template <int kVectors, bool kFlip, bool kListed>
static void tiles(const Args& all) {
  const Args args = all;
  const Finish16 finish = make_finish16(args);
  size_t i = 0;
  for (; i + kMr <= args.rows; i += kMr) tile<kMr, kVectors, kFlip, kListed>(args, finish, i);
  // Of 1, 2 and 3 rows; where a tile has 2, of 1.
  static void (*const kRest[])(const Args&, size_t) = {nullptr, rest<1, kVectors, kFlip, kListed>,
                                                       rest<kMr / 2, kVectors, kFlip, kListed>,
                                                       rest<kMr - 1, kVectors, kFlip, kListed>};
  if (i < args.rows) kRest[args.rows - i](all, i);
}

template <bool kListed>
static void run_tiles(const Args& args) {
  constexpr int kNarrow = kListed ? 4 : 2;
  if (args.cols > 8) {
    (args.flip ? tiles<4, true, kListed> : tiles<4, false, kListed>)(args);
  } else {
    (args.flip ? tiles<kNarrow, true, kListed> : tiles<kNarrow, false, kListed>)(args);
  }
}

#ifdef __aarch64__
void gemm_x8w8_4x16c8_neon(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_4x16s8_neon(const Args& args) { run_tiles<true>(args); }
#else
void gemm_x8w8_2x16c8_neon(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_2x16s8_neon(const Args& args) { run_tiles<true>(args); }
#endif

}  // namespace edge::gemm
