#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace edge::peak {

void peak_vpmaddwd_avx2(size_t rounds) {
  __m256i sum[12] = {};
  __m256i x = _mm256_set1_epi16(1), product;
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("vpmaddwd %2, %2, %1\n\tvpaddd %1, %0, %0"
                       : "+x"(sum[i]), "=&x"(product)
                       : "x"(x));
    }
  }
}

void peak_vfmadd_avx2(size_t rounds) {
  __m256 sum[12] = {};
  const __m256 x = _mm256_set1_ps(0.5f);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(sum[i]) : "x"(x));
    }
  }
}

}  // namespace edge::peak
