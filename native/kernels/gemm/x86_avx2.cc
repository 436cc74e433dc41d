// 6 rows x 16 columns in 12 registers; vpmaddwd adds the two products of a pair of k.
#include <immintrin.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr size_t kMr = 6;
constexpr size_t kNr = 16;

static __m256i broadcast_pair(const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, sizeof pair);
  return _mm256_set1_epi32(pair);
}

// kRows rows of the panel's first kVectors * 8 columns.
template <int kRows, int kVectors>
static void tile(const Args& args) {
  const uint8_t* panel = static_cast<const uint8_t*>(args.panel) + kPanelHeader;
  __m256i sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel) + v);
    }
  }
  const __m256i* w = reinterpret_cast<const __m256i*>(panel + kNr * sizeof(int32_t));
  const int16_t* x[kRows];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) x[i] = static_cast<const int16_t*>(args.x[i]);
  for (size_t k = 0; k < args.depth; k += 2, w += 2) {
    __m256i b[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) b[v] = _mm256_load_si256(w + v);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m256i a = broadcast_pair(x[i] + k);
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
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(args.acc + i * kNr + v * 8), sum[i][v]);
    }
  }
}

template <int kRows>
static void rows(const Args& args) {
  if (args.cols > 8) {
    tile<kRows, 2>(args);
  } else {
    tile<kRows, 1>(args);
  }
}

void gemm_x8w16_6x16c2_avx2(const Args& args) {
  static void (*const kRows[])(const Args&) = {rows<1>, rows<2>, rows<3>,
                                               rows<4>, rows<5>, rows<6>};
  kRows[args.rows - 1](args);
}

}  // namespace edge::gemm
