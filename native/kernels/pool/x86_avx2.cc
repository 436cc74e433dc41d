// 16 channels of 8 bits or 8 floats at a time; a last group that is cut is read past the channels
// (kOverread) and written through a buffer.
#include <immintrin.h>

#include "kernels/pool/pool.h"

namespace edge::pool {

static __m128i load16(const void* x, size_t c) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const uint8_t*>(x) + c));
}

static void store16(void* out, size_t c, size_t channels, __m128i v) {
  uint8_t* to = static_cast<uint8_t*>(out) + c;
  if (channels - c >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v);
    return;
  }
  alignas(16) uint8_t bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), v);
  __builtin_memcpy(to, bytes, channels - c);
}

struct Sums {
  __m256i low, high;  // int32 of channels 0 .. 7 and 8 .. 15
};

template <bool kUnsigned>
static Sums sum16(const Args& args, size_t c) {
  // A byte fits int16 sums 128 times.
  constexpr size_t kBurst = 128;
  Sums sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (size_t t0 = 0; t0 < args.taps; t0 += kBurst) {
    __m256i burst = _mm256_setzero_si256();
    for (size_t t = t0; t < t0 + kBurst && t < args.taps; ++t) {
      const __m128i x = load16(args.x[t], c);
      burst =
          _mm256_add_epi16(burst, kUnsigned ? _mm256_cvtepu8_epi16(x) : _mm256_cvtepi8_epi16(x));
    }
    const __m128i low = _mm256_castsi256_si128(burst);
    const __m128i high = _mm256_extracti128_si256(burst, 1);
    sums.low = _mm256_add_epi32(sums.low, _mm256_cvtepi16_epi32(low));
    sums.high = _mm256_add_epi32(sums.high, _mm256_cvtepi16_epi32(high));
  }
  return sums;
}

// a / n toward zero for 4 numbers: a double holds the quotient of two int32 closely enough.
static __m128i divide(__m128i a, __m256d n) {
  return _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_cvtepi32_pd(a), n));
}

// (a > 0 ? a + n / 2 : a - n / 2) / n, cut to [min, max].
static __m256i average8(__m256i a, int32_t n, const Args& args) {
  const __m256i half = _mm256_set1_epi32(n / 2);
  const __m256i positive = _mm256_cmpgt_epi32(a, _mm256_setzero_si256());
  const __m256i negated = _mm256_sub_epi32(_mm256_setzero_si256(), half);
  a = _mm256_add_epi32(a, _mm256_blendv_epi8(negated, half, positive));
  const __m256d divisor = _mm256_set1_pd(n);
  const __m256i v = _mm256_set_m128i(divide(_mm256_extracti128_si256(a, 1), divisor),
                                     divide(_mm256_castsi256_si128(a), divisor));
  return _mm256_min_epi32(_mm256_max_epi32(v, _mm256_set1_epi32(args.min)),
                          _mm256_set1_epi32(args.max));
}

template <bool kUnsigned>
static void average(const Args& args) {
  const int32_t n = static_cast<int32_t>(args.taps);
  for (size_t c = 0; c < args.channels; c += 16) {
    const Sums sums = sum16<kUnsigned>(args, c);
    const __m256i words =
        _mm256_packs_epi32(average8(sums.low, n, args), average8(sums.high, n, args));
    // The 128-bit lanes hold channels 0-3, 8-11 and 4-7, 12-15.
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
    const __m128i low = _mm256_castsi256_si128(ordered);
    const __m128i high = _mm256_extracti128_si256(ordered, 1);
    store16(args.out, c, args.channels,
            kUnsigned ? _mm_packus_epi16(low, high) : _mm_packs_epi16(low, high));
  }
}

template <bool kUnsigned>
static __m128i larger(__m128i a, __m128i b) {
  return kUnsigned ? _mm_max_epu8(a, b) : _mm_max_epi8(a, b);
}

template <bool kUnsigned>
static void max(const Args& args) {
  const __m128i lowest = _mm_set1_epi8(static_cast<char>(args.min));
  const __m128i highest = _mm_set1_epi8(static_cast<char>(args.max));
  for (size_t c = 0; c < args.channels; c += 16) {
    __m128i v = lowest;
    for (size_t t = 0; t < args.taps; ++t) v = larger<kUnsigned>(v, load16(args.x[t], c));
    v = kUnsigned ? _mm_min_epu8(v, highest) : _mm_min_epi8(v, highest);
    store16(args.out, c, args.channels, v);
  }
}

template <bool kUnsigned>
static void sum(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) {
    const Sums sums = sum16<kUnsigned>(args, c);
    alignas(32) int32_t values[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(values), sums.low);
    _mm256_store_si256(reinterpret_cast<__m256i*>(values + 8), sums.high);
    int32_t* out = static_cast<int32_t*>(args.out) + c;
    for (size_t i = 0; i < 16 && c + i < args.channels; ++i) out[i] += values[i];
  }
}

static __m128i load_words8(const void* x, size_t c) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const int16_t*>(x) + c));
}

static void store_words8(const Args& args, size_t c, __m128i v) {
  int16_t* out = static_cast<int16_t*>(args.out) + c;
  if (args.channels - c >= 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v);
    return;
  }
  int16_t values[8];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(values), v);
  for (size_t i = 0; c + i < args.channels; ++i) out[i] = values[i];
}

static __m256 load8(const void* x, size_t c) {
  return _mm256_loadu_ps(static_cast<const float*>(x) + c);
}

static void store_clamped8(const Args& args, size_t c, __m256 v) {
  // In this order of operands a NaN stays one.
  v = _mm256_max_ps(_mm256_set1_ps(args.min_f32), v);
  v = _mm256_min_ps(_mm256_set1_ps(args.max_f32), v);
  float* out = static_cast<float*>(args.out) + c;
  if (args.channels - c >= 8) {
    _mm256_storeu_ps(out, v);
    return;
  }
  alignas(32) float values[8];
  _mm256_store_ps(values, v);
  for (size_t i = 0; c + i < args.channels; ++i) out[i] = values[i];
}

void average_i8_avx2(const Args& args) { average<false>(args); }
void average_u8_avx2(const Args& args) { average<true>(args); }
void average_i16_avx2(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 8) {
    __m256i sum = _mm256_setzero_si256();
    for (size_t t = 0; t < args.taps; ++t) {
      sum = _mm256_add_epi32(sum, _mm256_cvtepi16_epi32(load_words8(args.x[t], c)));
    }
    const __m256i v = average8(sum, static_cast<int32_t>(args.taps), args);
    store_words8(args, c,
                 _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
  }
}

void max_i16_avx2(const Args& args) {
  const __m128i lowest = _mm_set1_epi16(static_cast<int16_t>(args.min));
  const __m128i highest = _mm_set1_epi16(static_cast<int16_t>(args.max));
  for (size_t c = 0; c < args.channels; c += 8) {
    __m128i v = lowest;
    for (size_t t = 0; t < args.taps; ++t) v = _mm_max_epi16(v, load_words8(args.x[t], c));
    store_words8(args, c, _mm_min_epi16(v, highest));
  }
}

void max_i8_avx2(const Args& args) { max<false>(args); }
void max_u8_avx2(const Args& args) { max<true>(args); }
void sum_i8_avx2(const Args& args) { sum<false>(args); }
void sum_u8_avx2(const Args& args) { sum<true>(args); }

void average_f32_avx2(const Args& args) {
  const __m256 n = _mm256_set1_ps(static_cast<float>(args.taps));
  for (size_t c = 0; c < args.channels; c += 8) {
    __m256 v = _mm256_setzero_ps();
    for (size_t t = 0; t < args.taps; ++t) v = _mm256_add_ps(v, load8(args.x[t], c));
    store_clamped8(args, c, _mm256_div_ps(v, n));
  }
}

void max_f32_avx2(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 8) {
    __m256 v = load8(args.x[0], c);
    for (size_t t = 1; t < args.taps; ++t) v = _mm256_max_ps(load8(args.x[t], c), v);
    store_clamped8(args, c, v);
  }
}

}  // namespace edge::pool
