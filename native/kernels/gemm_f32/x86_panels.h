// The kernels of SSE4.1 and AVX2: 3 or 6 rows x 16 columns in 12 registers.
#pragma once

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/x86_vectors.h"

namespace edge::gemm_f32 {

using namespace x86;  // of this file's flags only, all static

constexpr size_t kNr = 16;
constexpr size_t kPanelVectors = kNr / kLanes;
constexpr size_t kMr = 12 / kPanelVectors;

static void store(float* out, Floats v, size_t cols) {
  if (cols >= kLanes) return storeu_floats(out, v);
  float values[kLanes];
  storeu_floats(values, v);
  for (size_t n = 0; n < cols; ++n) out[n] = values[n];
}

// One panel for kRows rows, its first kVectors * kLanes columns, of which `cols` exist.
template <int kRows, size_t kVectors>
static void tile(const Args& args, const float* w, float* out, size_t cols) {
  Floats sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) sum[i][v] = loadu_floats(w + v * kLanes);
  }
  w += kNr;
  const size_t depth = args.depth;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) x[i] = args.x[t * args.x_stride + i];
    for (size_t k = 0; k < depth; ++k, w += kNr) {
      Floats b[kVectors];
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) b[v] = loadu_floats(w + v * kLanes);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const Floats a = all_floats(x[i][k]);
#pragma GCC unroll 4
        for (size_t v = 0; v < kVectors; ++v) sum[i][v] = multiply_add(a, b[v], sum[i][v]);
      }
    }
  }
  const Floats min = all_floats(args.min), max = all_floats(args.max);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      // In this order of operands a NaN stays one.
      const Floats clamped = min_floats(max, max_floats(min, sum[i][v]));
      if (cols > v * kLanes) {
        store(out + i * args.out_stride + v * kLanes, clamped, cols - v * kLanes);
      };
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const float* panel = args.weights;
  for (size_t n = 0; n < args.cols; n += kNr) {
    const size_t cols = args.cols - n;
    const auto run = cols > kNr / 2 ? tile<kRows, kPanelVectors> : tile<kRows, kPanelVectors / 2>;
    run(args, panel, args.out + n, cols);
    panel += kNr * (1 + args.taps * args.depth);
  }
}

static void run_panels(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>,
                                                 panels<2>,
                                                 panels<3>,
                                                 panels < kMr < 4 ? 1 : 4 >,
                                                 panels < kMr < 5 ? 1 : 5 >,
                                                 panels < kMr < 6 ? 1 : 6 > };
  kPanels[args.rows - 1](args);
}

}  // namespace edge::gemm_f32
