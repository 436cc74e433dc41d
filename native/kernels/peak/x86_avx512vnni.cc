#include <immintrin.h>

#include "kernels/peak/peak.h"

namespace edge::peak {

void peak_vpdpbusd_avx512vnni(size_t rounds) {
  __m512i sum[16] = {};
  const __m512i x = _mm512_set1_epi8(1);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sum[i]) : "v"(x));
    }
  }
}

void peak_vfmadd_avx512vnni(size_t rounds) {
  __m512 sum[16] = {};
  const __m512 x = _mm512_set1_ps(0.5f);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(sum[i]) : "v"(x));
    }
  }
}

}  // namespace edge::peak
