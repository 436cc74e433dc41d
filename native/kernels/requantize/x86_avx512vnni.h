// Dot products and the float form of requantize.h on 16 values in a register; for AVX512-VNNI files
// of any family.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// acc += the products of four uint8 of x and four int8 of w in each lane. GCC 12 spills the
// accumulators around its intrinsic.
[[gnu::always_inline]] static inline void multiply_add(__m512i& acc, __m512i x, __m512i w) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
}

// trunc(x * scale + offset), the sum exact.
static __m512i scaled(__m512i x, __m512 scale, __m512 offset) {
  return _mm512_cvttps_epi32(_mm512_fmadd_round_ps(_mm512_cvtepi32_ps(x), scale, offset,
                                                   _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC));
}

// copysign(offset, x), offset >= 0.
static __m512 with_sign(__m512 offset, __m512i x) {
  const __m512i sign = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(_mm512_castps_si512(offset), x, sign, 0xf8));  // a | (b & c)
}

}  // namespace edge::requantize
