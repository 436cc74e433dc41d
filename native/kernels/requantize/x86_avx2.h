// DR of requantize.h on 8 values in a register; for AVX2 files of any family.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// With y = x' * m / 2^31 and s = max(-e, 0) both roundings are one step on 64 bits:
//   s >= 1: (x' * m + 2^30 + 2^(30+s) - (x' < 0) * 2^31) >> (31 + s)
//   s == 0: (x' * m + 2^30) >> 31
// AVX2 shifts 64 bits logically only: 2^63, added to the rounding, makes the sum non-negative, and
// 2^63 >> (31 + s) is taken off again, together with the zero point, by `offset`.
struct Dr {
  __m256i left;                         // max(e, 0), per 32-bit lane
  __m256i m_even, m_odd;                // 64-bit lanes from here on
  __m256i negative_even, negative_odd;  // 2^31 where s >= 1
  __m256i round_even, round_odd;
  __m256i shift_even, shift_odd;  // 31 + s
  __m256i offset;                 // per 32-bit lane
};

static inline Dr make_dr(__m256i m, __m256i e, int32_t zero_point) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30);
  const __m256i half_and_big = _mm256_set1_epi64x(INT64_MIN + (int64_t{1} << 30));
  const __m256i s = _mm256_max_epi32(_mm256_sub_epi32(zero, e), zero);
  const __m256i s_even = _mm256_and_si256(s, low);
  const __m256i s_odd = _mm256_srli_epi64(s, 32);
  const __m256i some_even = _mm256_cmpgt_epi64(s_even, zero);
  const __m256i some_odd = _mm256_cmpgt_epi64(s_odd, zero);
  const __m256i sign_bit = _mm256_set1_epi64x(int64_t{1} << 31);
  Dr dr;
  dr.left = _mm256_max_epi32(e, zero);
  dr.m_even = m;
  dr.m_odd = _mm256_srli_epi64(m, 32);
  dr.negative_even = _mm256_and_si256(some_even, sign_bit);
  dr.negative_odd = _mm256_and_si256(some_odd, sign_bit);
  dr.round_even =
      _mm256_add_epi64(half_and_big, _mm256_and_si256(some_even, _mm256_sllv_epi64(half, s_even)));
  dr.round_odd =
      _mm256_add_epi64(half_and_big, _mm256_and_si256(some_odd, _mm256_sllv_epi64(half, s_odd)));
  dr.shift_even = _mm256_add_epi64(s_even, _mm256_set1_epi64x(31));
  dr.shift_odd = _mm256_add_epi64(s_odd, _mm256_set1_epi64x(31));
  dr.offset = _mm256_sub_epi32(
      _mm256_set1_epi32(zero_point),
      _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_sub_epi32(_mm256_set1_epi32(32), s)));
  return dr;
}

static inline Dr make_dr(const Multiplier& multiplier, int32_t zero_point) {
  return make_dr(_mm256_set1_epi32(multiplier.m), _mm256_set1_epi32(multiplier.e), zero_point);
}

// DR(x) + zero_point, per 32-bit lane.
static inline __m256i apply(__m256i x, const Dr& dr) {
  x = _mm256_sllv_epi32(x, dr.left);
  const __m256i x_odd = _mm256_srli_epi64(x, 32);
  __m256i even = _mm256_mul_epi32(x, dr.m_even);
  __m256i odd = _mm256_mul_epi32(x_odd, dr.m_odd);
  // The sign of an even lane is bit 31 of its 64 bits, where `negative` is, or not.
  even = _mm256_sub_epi64(even, _mm256_and_si256(x, dr.negative_even));
  odd = _mm256_sub_epi64(odd, _mm256_and_si256(x_odd, dr.negative_odd));
  even = _mm256_srlv_epi64(_mm256_add_epi64(even, dr.round_even), dr.shift_even);
  odd = _mm256_srlv_epi64(_mm256_add_epi64(odd, dr.round_odd), dr.shift_odd);
  const __m256i both = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  return _mm256_add_epi32(both, dr.offset);
}

}  // namespace edge::requantize
