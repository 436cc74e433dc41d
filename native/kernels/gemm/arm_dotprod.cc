// 6 rows x 16 columns in 24 registers; sdot adds four products, with 4 k of a row as a lane.
#include "kernels/gemm/arm_neon.h"

namespace edge::gemm {

constexpr int kMr = 6;
constexpr int kNr = 16;

// GCC 12 reorders its intrinsics until the accumulators no longer fit the registers.
template <int kLane>
[[gnu::always_inline]] static inline void dot(int32x4_t& sum, int8x16_t w, int8x16_t x) {
  __asm__ volatile("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sum) : "w"(w), "w"(x), "i"(kLane));
}

// Weights of 8 columns and 4 k.
struct Pair {
  int8x16_t low, high;
};
template <int kOffset>
[[gnu::always_inline]] static inline Pair load_pair(const int8_t* w) {
  Pair p;
  __asm__ volatile("ldp %q0, %q1, [%2, %3]" : "=w"(p.low), "=w"(p.high) : "r"(w), "i"(kOffset));
  return p;
}

// Step kLane of 4 k, which is that lane of x; kVectors * 4 columns.
template <int kLane, int kRows, int kVectors>
[[gnu::always_inline]] static inline void step(int32x4_t (&sum)[kRows][kVectors],
                                               const int8x16_t (&x)[kRows], const int8_t* w) {
  const Pair first = load_pair<kLane * kNr * 4>(w);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) dot<kLane>(sum[i][0], first.low, x[i]);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) dot<kLane>(sum[i][1], first.high, x[i]);
  if (kVectors == 2) return;
  const Pair second = load_pair<kLane * kNr * 4 + 32>(w);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) dot<kLane>(sum[i][kVectors - 2], second.low, x[i]);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) dot<kLane>(sum[i][kVectors - 1], second.high, x[i]);
}

// 16 k of each row, the last of which may lie beyond its end; of listed steps, 4.
template <bool kFlip, bool kListed, int kRows>
[[gnu::always_inline]] static inline void load(int8x16_t (&x)[kRows],
                                               const int8_t* const (&from)[kRows], size_t k) {
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    if (kListed) {
      __asm__ volatile("ldr %s0, [%1, %2]" : "=w"(x[i]) : "r"(from[i]), "r"(k));
    } else {
      __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(x[i]) : "r"(from[i]), "r"(k));
    }
    if (kFlip) x[i] = veorq_s8(x[i], vdupq_n_s8(-128));
  }
}

// kRows rows, from `first` on, of the panel's first kVectors * 4 columns.
template <int kRows, int kVectors, bool kFlip, bool kListed>
[[gnu::always_inline]] static inline void tile(const Args& args, const Finish16& finish,
                                               size_t first) {
  const PanelNeon panel = panel_neon<kNr>(args.panel);
  int32x4_t sum[kRows][kVectors];
  requantize::start_rows_neon(panel.b, sum);
  const int8_t* w = panel.w;
  const uint32_t* list = panel.list;
  const void* const* pointers = args.x + first;
  for (size_t t = args.taps; t > 0; --t, pointers += args.x_stride) {
    const int8_t* from[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) from[i] = static_cast<const int8_t*>(pointers[i]);
    const size_t whole = args.depth & ~size_t{15}, left = args.depth & 15;
    int8x16_t x[kRows];
    if (kListed) {
#pragma GCC unroll 2
      for (uint32_t steps = *list++; steps > 0; --steps, w += 4 * kNr) {
        load<kFlip, true>(x, from, *list++);
        step<0>(sum, x, w);
      }
      continue;
    }
    for (size_t k = 0; k < whole; k += 16, w += 16 * kNr) {
      load<kFlip, false>(x, from, k);
      step<0>(sum, x, w);
      step<1>(sum, x, w);
      step<2>(sum, x, w);
      step<3>(sum, x, w);
    }
    if (left == 0) continue;
    load<kFlip, false>(x, from, whole);
    step<0>(sum, x, w);
    if (left > 4) step<1>(sum, x, w);
    if (left > 8) step<2>(sum, x, w);
    if (left > 12) step<3>(sum, x, w);
    w += (left + 3) / 4 * 4 * kNr;
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
  static void (*const kRest[kMr])(const Args&, size_t) = {nullptr,
                                                          rest<1, kVectors, kFlip, kListed>,
                                                          rest<2, kVectors, kFlip, kListed>,
                                                          rest<3, kVectors, kFlip, kListed>,
                                                          rest<4, kVectors, kFlip, kListed>,
                                                          rest<5, kVectors, kFlip, kListed>};
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

void gemm_x8w8_6x16c4_dotprod(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_6x16s4_dotprod(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
