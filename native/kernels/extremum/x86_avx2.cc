// 256 elements at a time as 16-bit keys, code above index, of which the smallest is the first of
// the smallest codes; vphminposuw finds it among the last 8.
#include <immintrin.h>

#include "kernels/extremum/extremum.h"

namespace edge::extremum {

// 16 keys; `index` holds their indices in the low bytes and what flips their codes in the high
// ones.
static __m256i keys(const uint8_t* x, __m256i index) {
  const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  return _mm256_xor_si256(_mm256_slli_epi16(_mm256_cvtepu8_epi16(codes), 8), index);
}

// The smallest key of n <= 256 elements; `beyond` is all ones where the last n % 16 have none.
static uint32_t smallest(const uint8_t* x, size_t n, __m256i index, __m256i beyond) {
  __m256i best = _mm256_set1_epi8(-1);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    best = _mm256_min_epu16(best, keys(x + i, index));
    index = _mm256_add_epi16(index, _mm256_set1_epi16(16));
  }
  if (i < n) best = _mm256_min_epu16(best, _mm256_or_si256(keys(x + i, index), beyond));
  const __m128i half =
      _mm_min_epu16(_mm256_castsi256_si128(best), _mm256_extracti128_si256(best, 1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(half))) & 0xffff;
}

void extremum_x8_avx2(const Args& args) {
  const __m256i lane = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i index =
      _mm256_or_si256(lane, _mm256_set1_epi16(static_cast<short>(args.flip << 8)));
  const size_t extent = args.extent, last = (extent - 1) / 256 * 256;
  const __m256i beyond =
      _mm256_cmpgt_epi16(lane, _mm256_set1_epi16(static_cast<short>((extent - 1) % 16)));
  const uint8_t* x = args.x;
  for (size_t r = 0; r < args.rows; ++r, x += extent) {
    uint32_t best = UINT32_MAX;
    size_t at = 0;
    for (size_t i = 0; i < last; i += 256) {
      const uint32_t key = smallest(x + i, 256, index, beyond);
      if (key >> 8 >= best >> 8) continue;
      best = key;
      at = i + (key & 0xff);
    }
    const uint32_t key = smallest(x + last, extent - last, index, beyond);
    args.out[r] = static_cast<int32_t>(key >> 8 < best >> 8 ? last + (key & 0xff) : at);
  }
}

}  // namespace edge::extremum
