// 64 bytes or 16 values of 32 bits at a time; tails by masks.
#include <immintrin.h>

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {

// Bytes are widened by unpacking and narrowed by packing, both within lanes, which keeps the order.
void linear_x8_avx512vnni(const Args8& args) {
  const Linear& p = args.params->linear;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(p.flip));
  const __m512i min = _mm512_xor_si512(_mm512_set1_epi8(static_cast<char>(args.params->min)), flip);
  const __m512i max = _mm512_xor_si512(_mm512_set1_epi8(static_cast<char>(args.params->max)), flip);
  const __m512i high =
      _mm512_unpacklo_epi16(_mm512_set1_epi16(p.high_a), _mm512_set1_epi16(p.high_b));
  const __m512i low = _mm512_unpacklo_epi16(_mm512_set1_epi16(p.low_a), _mm512_set1_epi16(p.low_b));
  const __m512i offset = _mm512_set1_epi32(p.offset), zero = _mm512_setzero_si512();
  const __m128i shift = _mm_cvtsi32_si128(p.shift);
  const auto sum = [&](__m512i pairs) {
    const __m512i upper = _mm512_slli_epi32(_mm512_madd_epi16(pairs, high), 8);
    const __m512i lower = _mm512_srai_epi32(_mm512_madd_epi16(pairs, low), 7);
    return _mm512_sra_epi32(_mm512_add_epi32(_mm512_add_epi32(upper, lower), offset), shift);
  };
  const uint8_t* a = static_cast<const uint8_t*>(args.a);
  const uint8_t* b = static_cast<const uint8_t*>(args.b);
  const __m512i same = _mm512_set1_epi8(static_cast<char>(*b));
  for (size_t i = 0; i < args.n; i += 64) {
    const size_t left = args.n - i;
    const __mmask64 mask = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    const __m512i va = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i), flip);
    const __m512i vb =
        _mm512_xor_si512(args.b_scalar ? same : _mm512_maskz_loadu_epi8(mask, b + i), flip);
    const __m512i first = _mm512_unpacklo_epi8(va, vb), last = _mm512_unpackhi_epi8(va, vb);
    const __m512i words = _mm512_packs_epi32(sum(_mm512_unpacklo_epi8(first, zero)),
                                             sum(_mm512_unpackhi_epi8(first, zero)));
    const __m512i more = _mm512_packs_epi32(sum(_mm512_unpacklo_epi8(last, zero)),
                                            sum(_mm512_unpackhi_epi8(last, zero)));
    const __m512i v = _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(words, more), min), max);
    _mm512_mask_storeu_epi8(static_cast<uint8_t*>(args.out) + i, mask, _mm512_xor_si512(v, flip));
  }
}

// vpshufb looks up the low four bits in each 16 entries of the table; the high ones choose among
// the results, a bit a step.
void lut_avx512vnni(const LutArgs& args) {
  __m512i rows[16];
  for (int r = 0; r < 16; ++r) {
    const __m128i row = _mm_loadu_si128(reinterpret_cast<const __m128i*>(args.table + 16 * r));
    rows[r] = _mm512_broadcast_i32x4(row);
  }
  for (size_t i = 0; i < args.n; i += 64) {
    const size_t left = args.n - i;
    const __mmask64 mask = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    const __m512i x = _mm512_maskz_loadu_epi8(mask, args.x + i);
    const __m512i index = _mm512_and_si512(x, _mm512_set1_epi8(0x0f));
    const auto bit = [&](int b) {
      return _mm512_test_epi8_mask(x, _mm512_set1_epi8(static_cast<char>(1 << b)));
    };
    const __mmask64 bits[4] = {bit(4), bit(5), bit(6), bit(7)};
    __m512i found[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) {
      const __m512i even = _mm512_shuffle_epi8(rows[2 * r], index);
      found[r] = _mm512_mask_shuffle_epi8(even, bits[0], rows[2 * r + 1], index);
    }
#pragma GCC unroll 3
    for (int b = 1; b < 4; ++b) {
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {  // of which the first 8 >> b count
        found[r] = _mm512_mask_blend_epi8(bits[b], found[2 * r], found[2 * r + 1]);
      }
    }
    _mm512_mask_storeu_epi8(args.out + i, mask, found[0]);
  }
}

}  // namespace edge::elementwise
