#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace edge::peak {

void peak_vpdpbusd_avxvnni(size_t rounds) {
  __m256i sum[12] = {};
  const __m256i x = _mm256_set1_epi8(1);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(sum[i]) : "x"(x));
    }
  }
}

}  // namespace edge::peak
