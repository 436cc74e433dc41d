// 6 rows x 16 columns in 12 registers.
#include <immintrin.h>

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

constexpr size_t kMr = 6;
constexpr size_t kNr = 16;

static void store(float* out, __m256 v, size_t cols) {
  if (cols >= 8) {
    _mm256_storeu_ps(out, v);
    return;
  }
  alignas(32) float values[8];
  _mm256_store_ps(values, v);
  for (size_t n = 0; n < cols; ++n) out[n] = values[n];
}

// One panel for kRows rows, its first kVectors * 8 columns, of which `cols` exist.
template <int kRows, int kVectors>
static void tile(const Args& args, const float* w, float* out, size_t cols) {
  __m256 sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm256_load_ps(w + v * 8);
  }
  w += kNr;
  const size_t depth = args.depth;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) x[i] = args.x[t * args.x_stride + i];
    for (size_t k = 0; k < depth; ++k, w += kNr) {
      __m256 b[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) b[v] = _mm256_load_ps(w + v * 8);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const __m256 a = _mm256_broadcast_ss(x[i] + k);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm256_fmadd_ps(a, b[v], sum[i][v]);
      }
    }
  }
  const __m256 min = _mm256_set1_ps(args.min), max = _mm256_set1_ps(args.max);
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      // In this order of operands a NaN stays one.
      const __m256 clamped = _mm256_min_ps(max, _mm256_max_ps(min, sum[i][v]));
      store(out + i * args.out_stride + v * 8, clamped, cols - static_cast<size_t>(v) * 8);
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const float* panel = args.weights;
  for (size_t n = 0; n < args.cols; n += kNr) {
    const size_t cols = args.cols - n;
    if (cols > 8) {
      tile<kRows, 2>(args, panel, args.out + n, cols);
    } else {
      tile<kRows, 1>(args, panel, args.out + n, cols);
    }
    panel += kNr * (1 + args.taps * args.depth);
  }
}

void gemm_f32_6x16_avx2(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>,
                                                 panels<4>, panels<5>, panels<6>};
  kPanels[args.rows - 1](args);
}

}  // namespace edge::gemm_f32
