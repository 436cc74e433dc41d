// 16 columns at a time, all rows of the tile, so that a column's constants are made once.
#include <immintrin.h>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// As in x86_avx2.h, but with a shift of 64-bit lanes that keeps the sign:
//   s >= 1: (x' * m + 2^30 + 2^(30+s) - (x' < 0) * 2^31) >> (31 + s)
//   s == 0: (x' * m + 2^30) >> 31
struct Dr {
  __m512i left;                         // max(e, 0), per 32-bit lane
  __m512i m_even, m_odd;                // 64-bit lanes from here on
  __m512i negative_even, negative_odd;  // 2^31 where s >= 1
  __m512i round_even, round_odd;
  __m512i shift_even, shift_odd;  // 31 + s
};

static Dr make_dr(__m512i m, __m512i e) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i half = _mm512_set1_epi64(int64_t{1} << 30);
  const __m512i sign_bit = _mm512_set1_epi64(int64_t{1} << 31);
  const __m512i s = _mm512_max_epi32(_mm512_sub_epi32(zero, e), zero);
  const __m512i s_even = _mm512_and_si512(s, _mm512_set1_epi64(0xffffffff));
  const __m512i s_odd = _mm512_srli_epi64(s, 32);
  const __mmask8 some_even = _mm512_test_epi64_mask(s_even, s_even);
  const __mmask8 some_odd = _mm512_test_epi64_mask(s_odd, s_odd);
  Dr dr;
  dr.left = _mm512_max_epi32(e, zero);
  dr.m_even = m;
  dr.m_odd = _mm512_srli_epi64(m, 32);
  dr.negative_even = _mm512_maskz_mov_epi64(some_even, sign_bit);
  dr.negative_odd = _mm512_maskz_mov_epi64(some_odd, sign_bit);
  dr.round_even = _mm512_add_epi64(half, _mm512_maskz_sllv_epi64(some_even, half, s_even));
  dr.round_odd = _mm512_add_epi64(half, _mm512_maskz_sllv_epi64(some_odd, half, s_odd));
  dr.shift_even = _mm512_add_epi64(s_even, _mm512_set1_epi64(31));
  dr.shift_odd = _mm512_add_epi64(s_odd, _mm512_set1_epi64(31));
  return dr;
}

static __m512i apply(__m512i x, const Dr& dr) {
  x = _mm512_sllv_epi32(x, dr.left);
  const __m512i x_odd = _mm512_srli_epi64(x, 32);
  __m512i even = _mm512_mul_epi32(x, dr.m_even);
  __m512i odd = _mm512_mul_epi32(x_odd, dr.m_odd);
  // The sign of an even lane is bit 31 of its 64 bits, where `negative` is, or not.
  even = _mm512_sub_epi64(even, _mm512_and_si512(x, dr.negative_even));
  odd = _mm512_sub_epi64(odd, _mm512_and_si512(x_odd, dr.negative_odd));
  even = _mm512_srav_epi64(_mm512_add_epi64(even, dr.round_even), dr.shift_even);
  odd = _mm512_srav_epi64(_mm512_add_epi64(odd, dr.round_odd), dr.shift_odd);
  return _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}

void requantize_dr_avx512vnni(const Args& args) {
  const Params& p = *args.params;
  const int32_t* multiplier = p.multiplier + args.first_col;
  const int32_t* exponent = p.exponent + args.first_col;
  const __m512i zero_point = _mm512_set1_epi32(p.zero_point);
  const __m512i min = _mm512_set1_epi32(p.min), max = _mm512_set1_epi32(p.max);
  const size_t rows = args.rows, acc_stride = args.acc_stride, out_stride = args.out_stride;
  for (size_t n = 0; n < args.cols; n += 16) {
    const size_t left = args.cols - n;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const Dr dr = make_dr(_mm512_maskz_loadu_epi32(mask, multiplier + n),
                          _mm512_maskz_loadu_epi32(mask, exponent + n));
    const int32_t* acc = args.acc + n;
    uint8_t* out = args.out + n;
    for (size_t i = 0; i < rows; ++i, acc += acc_stride, out += out_stride) {
      __m512i v = apply(_mm512_maskz_loadu_epi32(mask, acc), dr);
      v = _mm512_add_epi32(v, zero_point);
      v = _mm512_min_epi32(_mm512_max_epi32(v, min), max);
      _mm_mask_storeu_epi8(out, mask, _mm512_maskz_cvtepi32_epi8(mask, v));
    }
  }
}

// The conversion rounds down: floor(x * scale + 0.5).
static __m256i reduced8(__m256i x, __m512d scale) {
  const __m512d v = _mm512_fmadd_pd(_mm512_cvtepi32_pd(x), scale, _mm512_set1_pd(0.5));
  return _mm512_cvt_roundpd_epi32(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

void requantize_wide_reduced_avx512vnni(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  const __m256i min = _mm256_set1_epi16(static_cast<int16_t>(p.min));
  const __m256i max = _mm256_set1_epi16(static_cast<int16_t>(p.max));
  for (size_t n = 0; n < args.cols; n += 16) {
    const size_t left = args.cols - n;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512d low = _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), scale + n);
    const __m512d high = _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask >> 8), scale + n + 8);
    const int32_t* acc = args.acc + n;
    int16_t* out = reinterpret_cast<int16_t*>(args.out) + n;
    for (size_t i = 0; i < args.rows; ++i, acc += args.acc_stride, out += args.out_stride) {
      const __m512i x = _mm512_maskz_loadu_epi32(mask, acc);
      const __m256i a = reduced8(_mm512_castsi512_si256(x), low);
      const __m256i b = reduced8(_mm512_extracti64x4_epi64(x, 1), high);
      const __m256i v = _mm512_cvtsepi32_epi16(_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1));
      _mm256_mask_storeu_epi16(out, mask, _mm256_min_epi16(_mm256_max_epi16(v, min), max));
    }
  }
}

}  // namespace edge::requantize
