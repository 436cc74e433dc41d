// 12 rows x 32 columns in 24 registers; where there are fewer rows, 6, 3 and 1 at a time.
#ifndef __clang__
// GCC 12 takes the undefined operands inside its own intrinsics for uninitialized reads (PR
// 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

constexpr size_t kMr = 12;
constexpr size_t kNr = 32;

static size_t panel_floats(const Args& args) { return kNr * (1 + args.taps * args.depth); }

// kRows rows from row `first` on, and the kVectors * 16 columns from column n on, of which the last
// vector may lack some.
template <int kRows, int kVectors>
static void tile(const Args& args, size_t first, size_t n) {
  const size_t panel = panel_floats(args), depth = args.depth;
  const float* w = args.weights + n / kNr * panel;
  // Vector v of a row of weights; panels lie one behind the other.
  const auto load = [&](int v) {
    return _mm512_load_ps(w + static_cast<size_t>(v / 2) * panel + v % 2 * 16);
  };
  __m512 sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    sum[0][v] = load(v);
#pragma GCC unroll 12
    for (int i = 1; i < kRows; ++i) sum[i][v] = sum[0][v];
  }
  w += kNr;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* const* pointers = args.x + t * kMr + first;
    const float* x[kRows];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) x[i] = pointers[i];
    for (size_t k = 0; k < depth; ++k, w += kNr) {
      __m512 b[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) b[v] = load(v);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        const __m512 a = _mm512_set1_ps(x[i][k]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_fmadd_ps(a, b[v], sum[i][v]);
      }
    }
  }
  const __m512 min = _mm512_set1_ps(args.min), max = _mm512_set1_ps(args.max);
  const size_t last = args.cols - n - (kVectors - 1) * 16;  // of the last vector
  const __mmask16 mask = static_cast<__mmask16>(last >= 16 ? 0xffff : (1u << last) - 1);
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    float* out = args.out + (first + static_cast<size_t>(i)) * args.out_stride + n;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      // In this order of operands a NaN stays one.
      const __m512 clamped = _mm512_min_ps(max, _mm512_max_ps(min, sum[i][v]));
      _mm512_mask_storeu_ps(out + v * 16, v + 1 < kVectors ? 0xffff : mask, clamped);
    }
  }
}

template <int kRows>
static void rows(const Args& args, size_t first) {
  size_t n = 0;
  if constexpr (kRows == 1) {  // which needs more columns to keep the multipliers busy
    for (; n + 128 <= args.cols; n += 128) tile<kRows, 8>(args, first, n);
  }
  for (; n + 16 < args.cols; n += 32) tile<kRows, 2>(args, first, n);
  if (n < args.cols) tile<kRows, 1>(args, first, n);
}

void gemm_f32_12x32_avx512vnni(const Args& args) {
  size_t first = 0;
  for (; args.rows - first >= 12; first += 12) rows<12>(args, first);
  for (; args.rows - first >= 6; first += 6) rows<6>(args, first);
  for (; args.rows - first >= 3; first += 3) rows<3>(args, first);
  for (; first < args.rows; ++first) rows<1>(args, first);
}

}  // namespace edge::gemm_f32
