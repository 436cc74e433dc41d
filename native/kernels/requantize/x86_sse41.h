// DR of requantize.h on 4 values in a register, all by one multiplier; for SSE4.1 files of any
// family.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// As in x86_avx2.h, where its members are explained, but with shifts that all lanes share.
struct Dr {
  __m128i left, m, negative, round, shift, offset;
};

static inline Dr make_dr(const Multiplier& multiplier, int32_t zero_point) {
  const int32_t e = multiplier.e, s = e < 0 ? -e : 0;
  const int64_t half = int64_t{1} << 30;
  Dr dr;
  dr.left = _mm_cvtsi32_si128(e > 0 ? e : 0);
  dr.m = _mm_set1_epi32(multiplier.m);
  dr.negative = _mm_set1_epi64x(s > 0 ? int64_t{1} << 31 : 0);
  dr.round = _mm_set1_epi64x(INT64_MIN + half + (s > 0 ? half << s : 0));
  dr.shift = _mm_cvtsi32_si128(31 + s);
  dr.offset = _mm_set1_epi32(
      static_cast<int32_t>(static_cast<uint32_t>(zero_point) - (uint64_t{1} << (32 - s))));
  return dr;
}

// DR(x) + zero_point, per 32-bit lane.
static inline __m128i apply(__m128i x, const Dr& dr) {
  x = _mm_sll_epi32(x, dr.left);
  const __m128i x_odd = _mm_srli_epi64(x, 32);
  __m128i even = _mm_mul_epi32(x, dr.m), odd = _mm_mul_epi32(x_odd, dr.m);
  even = _mm_sub_epi64(even, _mm_and_si128(x, dr.negative));
  odd = _mm_sub_epi64(odd, _mm_and_si128(x_odd, dr.negative));
  even = _mm_srl_epi64(_mm_add_epi64(even, dr.round), dr.shift);
  odd = _mm_srl_epi64(_mm_add_epi64(odd, dr.round), dr.shift);
  return _mm_add_epi32(_mm_blend_epi16(even, _mm_slli_epi64(odd, 32), 0xcc), dr.offset);
}

}  // namespace edge::requantize
