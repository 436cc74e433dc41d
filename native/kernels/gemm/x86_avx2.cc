// 6 rows x 16 columns in 12 registers; vpmaddwd adds the two products of a pair of k.
#include <immintrin.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr size_t kMr = 6;
constexpr size_t kNr = 16;

template <bool kUnsigned>
static void load_rows(const LoadArgs& args) {
  for (size_t i = 0; i < args.rows; ++i) {
    int16_t* loaded =
        reinterpret_cast<int16_t*>(static_cast<uint8_t*>(args.loaded) + i * args.loaded_stride);
    for (size_t t = 0; t < args.taps; ++t, loaded += args.depth) {
      const uint8_t* x = static_cast<const uint8_t*>(args.x[t * kMr + i]);
      // The last store of a tap runs over into the next one, which then overwrites it.
      for (size_t k = 0; k < args.depth; k += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k));
        const __m256i wide = kUnsigned ? _mm256_cvtepu8_epi16(bytes) : _mm256_cvtepi8_epi16(bytes);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(loaded + k), wide);
      }
    }
  }
}

void gemm_x8w16_6x16c2_avx2_load(const LoadArgs& args) {
  if (args.x_unsigned) {
    load_rows<true>(args);
  } else {
    load_rows<false>(args);
  }
}

static __m256i broadcast_pair(const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// One panel for kRows rows, its first kVectors * 8 columns.
template <int kRows, int kVectors>
static void tile(const Args& args, const uint8_t* panel, int32_t* acc) {
  __m256i sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel) + v);
    }
  }
  const __m256i* w = reinterpret_cast<const __m256i*>(panel + kNr * sizeof(int32_t));
  const int16_t* x = static_cast<const int16_t*>(args.loaded);
  const size_t depth = args.depth, stride = args.loaded_stride / sizeof(int16_t);
  for (size_t k = 0; k < depth; k += 2, w += 2, x += 2) {
    __m256i b[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) b[v] = _mm256_load_si256(w + v);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m256i a = broadcast_pair(x + i * stride);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[i][v] = _mm256_add_epi32(sum[i][v], _mm256_madd_epi16(a, b[v]));
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(acc + i * args.acc_stride + v * 8), sum[i][v]);
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const size_t panel_bytes = kNr * (sizeof(int32_t) + (args.depth + 1) / 2 * 2 * sizeof(int16_t));
  const uint8_t* panel = static_cast<const uint8_t*>(args.weights);
  size_t n = 0;
  for (; n + 8 < args.cols; n += kNr, panel += panel_bytes)
    tile<kRows, 2>(args, panel, args.acc + n);
  if (n < args.cols) tile<kRows, 1>(args, panel, args.acc + n);
}

void gemm_x8w16_6x16c2_avx2(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>,
                                                 panels<4>, panels<5>, panels<6>};
  kPanels[args.rows - 1](args);
}

}  // namespace edge::gemm
