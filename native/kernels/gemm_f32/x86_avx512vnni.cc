// 8 rows x 48 columns in 24 registers; where there are fewer rows, 4 and 1 at a time.
#include <immintrin.h>

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

constexpr size_t kNr = 48;

// kRows rows from row `first` on, and the columns from n on: kVectors * 16 and, with kHalf, 8 more.
// The last vector or half may lack some.
template <int kRows, int kVectors, bool kHalf>
static void tile(const Args& args, size_t first, size_t n) {
  const size_t panel = kNr * (1 + args.taps * args.depth);
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.depth);
  const float* w = args.weights + n / kNr * panel;
  // Vector v of a row of weights; panels lie one behind the other.
  const auto at = [&](int v) { return w + static_cast<size_t>(v / 3) * panel + v % 3 * 16; };
  __m512 sum[kRows][kVectors + 1];
  __m256 half[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 9
    for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_loadu_ps(at(v));
    if (kHalf) half[i] = _mm256_loadu_ps(at(kVectors));
  }
  w += kNr;
  for (size_t t = 0; t < args.taps; ++t) {
    const float* const* pointers = args.x + t * args.x_stride + first;
    const float* x[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) x[i] = pointers[i] + depth;
    // Counting up to zero leaves a register for each row's pointer.
    for (ptrdiff_t k = -depth; k != 0; ++k, w += kNr) {
      __m512 b[kVectors + 1];
#pragma GCC unroll 9
      for (int v = 0; v < kVectors; ++v) b[v] = _mm512_loadu_ps(at(v));
      const __m256 b_half = kHalf ? _mm256_loadu_ps(at(kVectors)) : _mm256_setzero_ps();
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        const __m512 a = _mm512_set1_ps(x[i][k]);
#pragma GCC unroll 9
        for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_fmadd_ps(a, b[v], sum[i][v]);
        if (kHalf) half[i] = _mm256_fmadd_ps(_mm512_castps512_ps256(a), b_half, half[i]);
      }
    }
  }
  const __m512 min = _mm512_set1_ps(args.min), max = _mm512_set1_ps(args.max);
  const size_t left = args.cols - n;
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* out = args.out + (first + static_cast<size_t>(i)) * args.out_stride + n;
    if (kHalf) sum[i][kVectors] = _mm512_castps256_ps512(half[i]);
#pragma GCC unroll 9
    for (int v = 0; v < kVectors + kHalf; ++v) {
      const size_t rest = left - static_cast<size_t>(v) * 16;
      const __mmask16 mask = static_cast<__mmask16>(rest >= 16 ? 0xffff : (1u << rest) - 1);
      // In this order of operands a NaN stays one.
      const __m512 clamped = _mm512_min_ps(max, _mm512_max_ps(min, sum[i][v]));
      _mm512_mask_storeu_ps(out + v * 16, mask, clamped);
    }
  }
}

template <int kRows>
static void rows(const Args& args, size_t first) {
  size_t n = 0;
  if constexpr (kRows == 1) {  // which needs more columns to keep the multipliers busy
    for (; n + 144 <= args.cols; n += 144) tile<kRows, 9, false>(args, first, n);
  }
  for (; n + 40 < args.cols; n += kNr) tile<kRows, 3, false>(args, first, n);
  if (n >= args.cols) return;
  static void (*const kTiles[])(const Args&, size_t, size_t) = {
      tile<kRows, 0, true>, tile<kRows, 1, false>, tile<kRows, 1, true>, tile<kRows, 2, false>,
      tile<kRows, 2, true>};
  kTiles[(args.cols - n - 1) / 8](args, first, n);
}

// A panel of kCols columns from column n on, 16 k at a time, for 4 rows at a time.
template <int kCols>
static void dots(const Args& args, size_t n) {
  const size_t depth = args.depth, column = args.taps * depth;
  const float* bias = args.weights + n * (1 + column);
  for (size_t first = 0; first < args.rows; first += 4) {
    __m512 sum[4][kCols];
    size_t row[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      row[i] = first + static_cast<size_t>(i) < args.rows ? first + static_cast<size_t>(i) : first;
#pragma GCC unroll 4
      for (int c = 0; c < kCols; ++c) sum[i][c] = _mm512_setzero_ps();
    }
    const float* w = bias + kNr;
    for (size_t t = 0; t < args.taps; ++t, w += depth) {
      const float* const* x = args.x + t * args.x_stride;
      for (size_t k = 0; k < depth; k += 16) {
        const size_t left = depth - k;
        const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
        __m512 b[kCols];
#pragma GCC unroll 4
        for (int c = 0; c < kCols; ++c) {
          b[c] = _mm512_maskz_loadu_ps(mask, w + static_cast<size_t>(c) * column + k);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          const __m512 a = _mm512_maskz_loadu_ps(mask, x[row[i]] + k);
#pragma GCC unroll 4
          for (int c = 0; c < kCols; ++c) sum[i][c] = _mm512_fmadd_ps(a, b[c], sum[i][c]);
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 4
      for (int c = 0; c < kCols; ++c) {
        const float v = bias[c] + _mm512_reduce_add_ps(sum[i][c]);
        const float low = v < args.min ? args.min : v;
        args.out[row[i] * args.out_stride + n + static_cast<size_t>(c)] =
            low > args.max ? args.max : low;
      }
    }
  }
}

void gemm_f32_8x48_avx512vnni(const Args& all) {
  static void (*const kDots[])(const Args&, size_t) = {dots<1>, dots<2>, dots<3>, dots<4>};
  Args args = all;
  const size_t last = args.cols % kNr;
  if (last >= 1 && last <= 4) {
    args.cols -= last;
    kDots[last - 1](all, args.cols);
  }
  size_t first = 0;
  for (; args.rows - first >= 8; first += 8) rows<8>(args, first);
  for (; args.rows - first >= 4; first += 4) rows<4>(args, first);
  for (; first < args.rows; ++first) rows<1>(args, first);
}

}  // namespace edge::gemm_f32
