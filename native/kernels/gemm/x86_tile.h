// The kernels of x86 in vectors of up to 256 bits: 12 registers of sums, which are 6 rows x 16
// columns of AVX2 or 3 x 16 of SSE4.1.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/x86_vectors.h"

namespace edge::gemm {

using namespace x86;  // of this file's flags only, all static

constexpr size_t kNr = 16;
constexpr int kPanelVectors = kNr / kLanes;
constexpr int kMr = 12 / kPanelVectors;

namespace {

// What all tiles of a call share. Kept apart from Args, which stores to `out` might overwrite for
// all that a compiler knows.
struct Ends {
  Ints zero_point, min, max, flip;
};

}  // namespace

// Four vectors of sums, which are 4 / kVectors rows, as bytes.
template <int kVectors>
static inline void store(uint8_t* out, size_t stride, Ints bytes, size_t cols, int rows) {
  constexpr size_t kWidth = kVectors * kLanes;
  alignas(32) uint8_t row[4 * kLanes];
  storeu(row, bytes);
#pragma GCC unroll 4
  for (int i = 0; i < 4 / kVectors; ++i) {
    if (i >= rows) return;
    if (cols >= kWidth) {
      __builtin_memcpy(out + i * stride, row + i * kWidth, kWidth);
    } else {
      for (size_t n = 0; n < cols; ++n) out[i * stride + n] = row[i * kWidth + n];
    }
  }
}

// One step of kRows rows.
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void multiply_add(Ints (&sum)[kRows][kVectors],
                                                       const uint8_t* const (&x)[kRows], size_t k,
                                                       const uint8_t* w, Ints x_flip) {
  Ints column[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) column[v] = load(w + v * 4 * kLanes);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    Ints row = broadcast(x[i] + k);
    if (kBytes) row = flip(row, x_flip);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) dot(sum[i][v], row, column[v]);
  }
}

// kRows rows, from `first` on, of the panel's first kVectors * kLanes columns.
template <int kRows, int kVectors, bool kListed>
static void tile(const Args& args, const Ends& ends, size_t first) {
  const int32_t* b =
      reinterpret_cast<const int32_t*>(static_cast<const uint8_t*>(args.panel) + kPanelHeader);
  const int32_t* c = b + kNr;
  const float* scale = reinterpret_cast<const float*>(kBytes ? c + kNr : c);
  Ints sum[kRows][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) sum[i][v] = load(b + v * kLanes);
  }
  if (kBytes && args.sums != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const Ints all = all32(args.sums[first + i]);
        sum[i][v] = add32(sum[i][v], multiply32(load(c + v * kLanes), all));
      }
    }
  }
  const Ints x_flip = all8(args.flip);
  const size_t depth_bytes = args.depth * (kBytes ? 1 : sizeof(int16_t));
  const uint8_t* w = reinterpret_cast<const uint8_t*>(scale + 2 * kNr);
  const uint32_t* list =
      kListed ? list_of(*static_cast<const PanelHeader*>(args.panel), w) : nullptr;
  // Sums of few rows would wait for each other: steps in turn have some of their own.
  constexpr int kParts = !kListed || !kBytes || kRows > 2 ? 1 : 4 / kRows;
  Ints part[kParts][kRows][kVectors] = {};
  const void* const* pointers = args.x + first;
  for (size_t t = args.taps; t > 0; --t, pointers += args.x_stride) {
    const uint8_t* x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) x[i] = static_cast<const uint8_t*>(pointers[i]);
    if (kListed) {
      uint32_t steps = *list++;
      for (; kParts > 1 && steps >= kParts; steps -= kParts, list += kParts) {
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p, w += 4 * kNr) {
          multiply_add(p == 0 ? sum : part[p - 1], x, list[p], w, x_flip);
        }
      }
      for (; steps > 0; --steps, w += 4 * kNr) multiply_add(sum, x, *list++, w, x_flip);
    } else {
      for (size_t k = 0; k < depth_bytes; k += 4, w += 4 * kNr) multiply_add(sum, x, k, w, x_flip);
    }
  }
#pragma GCC unroll 4
  for (int p = 1; p < kParts; ++p) {
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = add32(sum[i][v], part[p - 1][i][v]);
    }
  }
  if (args.acc != nullptr) {
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) storeu(args.acc + i * kNr + v * kLanes, sum[i][v]);
    }
    return;
  }
  // Where the range ends at the zero point, what is below it needs no rounding of its own.
  const Ints sign = all32(args.output.min == args.output.zero_point ? 0 : INT32_MIN);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const Floats s = loadu_floats(scale + v * kLanes), o = loadu_floats(scale + kNr + v * kLanes);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      sum[i][v] = scaled(sum[i][v], s, with_sign(o, sum[i][v], sign));
    }
  }
  constexpr int kAtOnce = 4 / kVectors;  // rows
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i += kAtOnce) {
    Ints four[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const int row = i + j / kVectors;
      four[j] = sum[row < kRows ? row : kRows - 1][j % kVectors];
    }
    Ints bytes = narrow(four[0], four[1], four[2], four[3], ends.zero_point);
    bytes = flip(clamp8(bytes, ends.min, ends.max), ends.flip);
    store<kVectors>(args.out + (first + i) * args.out_stride, args.out_stride, bytes, args.cols,
                    kRows - i);
  }
}

// Inlined where it has one caller, GCC 12 spills the sums of SSE4.1.
template <int kVectors, bool kListed>
[[gnu::noinline]] static void tiles(const Args& args) {
  const Ends ends{all16(args.output.zero_point), all8(args.output.min), all8(args.output.max),
                  all8(args.out_flip)};
  size_t i = 0;
  for (; i + kMr <= args.rows; i += kMr) tile<kMr, kVectors, kListed>(args, ends, i);
  using Tile = void (*)(const Args&, const Ends&, size_t);
  static const Tile kRest[] = {nullptr,
                               tile<1, kVectors, kListed>,
                               tile<2, kVectors, kListed>,
                               tile<(kMr < 4 ? 1 : 3), kVectors, kListed>,
                               tile<(kMr < 5 ? 1 : 4), kVectors, kListed>,
                               tile<(kMr < 6 ? 1 : 5), kVectors, kListed>};
  if (i < args.rows) kRest[args.rows - i](args, ends, i);
}

// kBytes: sum x' of each row, a vector at a time.
static void add_up(const Args& args) {
  constexpr size_t kStep = sizeof(Ints);
  static const uint8_t kOnes[2 * 32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const Ints x_flip = all8(args.flip);
  for (size_t i = 0; i < args.rows; ++i) {
    Ints sum = zero();
    for (size_t t = 0; t < args.taps; ++t) {
      const uint8_t* x = static_cast<const uint8_t*>(args.x[t * args.x_stride + i]);
      for (size_t k = 0; k < args.depth; k += kStep) {
        const size_t left = args.depth - k < kStep ? args.depth - k : kStep;
        dot(sum, flip(loadu(x + k), x_flip), loadu(kOnes + 32 - left));
      }
    }
    int32_t lanes[kLanes], all = 0;
    storeu(lanes, sum);
    for (int32_t lane : lanes) all += lane;
    args.acc[i] = all;
  }
}

template <bool kListed>
static void run_tiles(const Args& args) {
  if (kBytes && static_cast<const PanelHeader*>(args.panel)->ones) return add_up(args);
  const unsigned rounding = round_towards_zero();
  constexpr int kNarrow = kListed ? kPanelVectors : kPanelVectors / 2;
  (args.cols > kNr / 2 ? tiles<kPanelVectors, kListed> : tiles<kNarrow, kListed>)(args);
  _mm_setcsr(rounding);
}

}  // namespace edge::gemm
