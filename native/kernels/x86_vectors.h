// The widest vectors that a file's flags allow up to 256 bits, under one set of names: kernels are
// written once and compiled for SSE4.1, AVX2 and AVX-VNNI. The float form is requantize.h's.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace edge::x86 {

#if defined(__AVX2__)

using Ints = __m256i;
using Floats = __m256;
constexpr size_t kLanes = 8;

static inline Ints load(const void* p) { return _mm256_load_si256(static_cast<const Ints*>(p)); }
static inline Ints loadu(const void* p) { return _mm256_loadu_si256(static_cast<const Ints*>(p)); }
static inline void storeu(void* p, Ints v) { _mm256_storeu_si256(static_cast<Ints*>(p), v); }
static inline Ints zero() { return _mm256_setzero_si256(); }
static inline Ints all8(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
static inline Ints all16(int v) { return _mm256_set1_epi16(static_cast<short>(v)); }
static inline Ints all32(int32_t v) { return _mm256_set1_epi32(v); }
static inline Ints flip(Ints a, Ints b) { return _mm256_xor_si256(a, b); }
static inline Ints add32(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
static inline Ints multiply32(Ints a, Ints b) { return _mm256_mullo_epi32(a, b); }
static inline Ints madd16(Ints a, Ints b) { return _mm256_madd_epi16(a, b); }

// int32 to int8, saturated, in the order of the arguments; `zero_point`: int16.
static inline Ints narrow(Ints a, Ints b, Ints c, Ints d, Ints zero_point) {
  const Ints low = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
  const Ints high = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
static inline Ints clamp8(Ints v, Ints min, Ints max) {
  return _mm256_min_epi8(_mm256_max_epi8(v, min), max);
}

// The offset takes the bits of x that `sign` has.
static inline Floats with_sign(Floats offset, Ints x, Ints sign) {
  return _mm256_or_ps(offset, _mm256_castsi256_ps(_mm256_and_si256(x, sign)));
}
static inline Ints scaled(Ints x, Floats scale, Floats offset) {
  return _mm256_cvttps_epi32(_mm256_fmadd_ps(_mm256_cvtepi32_ps(x), scale, offset));
}

static inline Ints sub32(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
static inline Ints with_sign32(Ints a, Ints b) { return _mm256_sign_epi32(a, b); }
static inline Ints clamp32(Ints v, Ints min, Ints max) {
  return _mm256_min_epi32(_mm256_max_epi32(v, min), max);
}
template <bool kUnsigned>
static inline Ints widen(const void* bytes) {
  const __m128i v = _mm_loadl_epi64(static_cast<const __m128i*>(bytes));
  return kUnsigned ? _mm256_cvtepu8_epi32(v) : _mm256_cvtepi8_epi32(v);
}
static inline Ints widen16(const int16_t* x) {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}

// Within lanes of 128 bits, where packing undoes unpacking.
static inline Ints low8(Ints a, Ints b) { return _mm256_unpacklo_epi8(a, b); }
static inline Ints high8(Ints a, Ints b) { return _mm256_unpackhi_epi8(a, b); }
static inline Ints pack32(Ints a, Ints b) { return _mm256_packs_epi32(a, b); }
static inline Ints pack_unsigned16(Ints a, Ints b) { return _mm256_packus_epi16(a, b); }
static inline Ints look_up8(Ints table, Ints index) { return _mm256_shuffle_epi8(table, index); }
static inline Ints all128(__m128i v) { return _mm256_broadcastsi128_si256(v); }
static inline Ints left32(Ints v, int by) { return _mm256_slli_epi32(v, by); }
static inline Ints right32(Ints v, int by) { return _mm256_srai_epi32(v, by); }
static inline Ints add_unsigned8(Ints a, Ints b) { return _mm256_adds_epu8(a, b); }
static inline Ints either(Ints a, Ints b) { return _mm256_or_si256(a, b); }
static inline Ints clamp_unsigned8(Ints v, Ints min, Ints max) {
  return _mm256_min_epu8(_mm256_max_epu8(v, min), max);
}
// The low byte of each lane.
static inline void store_low_bytes(void* bytes, Ints v) {
  v = _mm256_shuffle_epi8(v, _mm256_set1_epi32(0x0c080400));
  const __m128i both =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(static_cast<__m128i*>(bytes), both);
}
// Within [-32768, 32767].
static inline void store_low_words(int16_t* words, Ints v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words),
                   _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

static inline Floats all_floats(float v) { return _mm256_set1_ps(v); }
static inline Floats loadu_floats(const float* p) { return _mm256_loadu_ps(p); }
static inline void storeu_floats(float* p, Floats v) { _mm256_storeu_ps(p, v); }
static inline Floats to_floats(Ints v) { return _mm256_cvtepi32_ps(v); }
static inline Ints cut(Floats v) { return _mm256_cvttps_epi32(v); }
static inline Floats cut_floats(Floats v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
static inline Floats bits_and(Floats a, Floats b) { return _mm256_and_ps(a, b); }
static inline Floats bits_or(Floats a, Floats b) { return _mm256_or_ps(a, b); }
static inline Floats without_sign(Floats v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v); }
static inline Floats min_floats(Floats a, Floats b) { return _mm256_min_ps(a, b); }
static inline Floats max_floats(Floats a, Floats b) { return _mm256_max_ps(a, b); }
static inline Floats at_least(Floats a, Floats b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
static inline Floats choose(Floats mask, Floats a, Floats b) {
  return _mm256_blendv_ps(b, a, mask);
}
static inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }

#else

using Ints = __m128i;
using Floats = __m128;
constexpr size_t kLanes = 4;

static inline Ints load(const void* p) { return _mm_load_si128(static_cast<const Ints*>(p)); }
static inline Ints loadu(const void* p) { return _mm_loadu_si128(static_cast<const Ints*>(p)); }
static inline void storeu(void* p, Ints v) { _mm_storeu_si128(static_cast<Ints*>(p), v); }
static inline Ints zero() { return _mm_setzero_si128(); }
static inline Ints all8(int v) { return _mm_set1_epi8(static_cast<char>(v)); }
static inline Ints all16(int v) { return _mm_set1_epi16(static_cast<short>(v)); }
static inline Ints all32(int32_t v) { return _mm_set1_epi32(v); }
static inline Ints flip(Ints a, Ints b) { return _mm_xor_si128(a, b); }
static inline Ints add32(Ints a, Ints b) { return _mm_add_epi32(a, b); }
static inline Ints multiply32(Ints a, Ints b) { return _mm_mullo_epi32(a, b); }
static inline Ints madd16(Ints a, Ints b) { return _mm_madd_epi16(a, b); }

static inline Ints narrow(Ints a, Ints b, Ints c, Ints d, Ints zero_point) {
  return _mm_packs_epi16(_mm_adds_epi16(_mm_packs_epi32(a, b), zero_point),
                         _mm_adds_epi16(_mm_packs_epi32(c, d), zero_point));
}
static inline Ints clamp8(Ints v, Ints min, Ints max) {
  return _mm_min_epi8(_mm_max_epi8(v, min), max);
}

static inline Floats with_sign(Floats offset, Ints x, Ints sign) {
  return _mm_or_ps(offset, _mm_castsi128_ps(_mm_and_si128(x, sign)));
}
// Without a fused multiply-add in double: it holds the product of a float and 24 bits of x.
static inline Ints scaled(Ints x, Floats scale, Floats offset) {
  const auto two = [](Ints v, Floats s, Floats o) {
    const __m128d product = _mm_mul_pd(_mm_cvtepi32_pd(v), _mm_cvtps_pd(s));
    return _mm_cvttpd_epi32(_mm_add_pd(product, _mm_cvtps_pd(o)));
  };
  const Ints low = two(x, scale, offset);
  const Ints high =
      two(_mm_unpackhi_epi64(x, x), _mm_movehl_ps(scale, scale), _mm_movehl_ps(offset, offset));
  return _mm_unpacklo_epi64(low, high);
}

static inline Ints sub32(Ints a, Ints b) { return _mm_sub_epi32(a, b); }
static inline Ints with_sign32(Ints a, Ints b) { return _mm_sign_epi32(a, b); }
static inline Ints clamp32(Ints v, Ints min, Ints max) {
  return _mm_min_epi32(_mm_max_epi32(v, min), max);
}
template <bool kUnsigned>
static inline Ints widen(const void* bytes) {
  int32_t four;
  __builtin_memcpy(&four, bytes, sizeof four);
  const __m128i v = _mm_cvtsi32_si128(four);
  return kUnsigned ? _mm_cvtepu8_epi32(v) : _mm_cvtepi8_epi32(v);
}
static inline Ints widen16(const int16_t* x) {
  return _mm_cvtepi16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
}

static inline Ints low8(Ints a, Ints b) { return _mm_unpacklo_epi8(a, b); }
static inline Ints high8(Ints a, Ints b) { return _mm_unpackhi_epi8(a, b); }
static inline Ints pack32(Ints a, Ints b) { return _mm_packs_epi32(a, b); }
static inline Ints pack_unsigned16(Ints a, Ints b) { return _mm_packus_epi16(a, b); }
static inline Ints look_up8(Ints table, Ints index) { return _mm_shuffle_epi8(table, index); }
static inline Ints all128(__m128i v) { return v; }
static inline Ints left32(Ints v, int by) { return _mm_slli_epi32(v, by); }
static inline Ints right32(Ints v, int by) { return _mm_srai_epi32(v, by); }
static inline Ints add_unsigned8(Ints a, Ints b) { return _mm_adds_epu8(a, b); }
static inline Ints either(Ints a, Ints b) { return _mm_or_si128(a, b); }
static inline Ints clamp_unsigned8(Ints v, Ints min, Ints max) {
  return _mm_min_epu8(_mm_max_epu8(v, min), max);
}
static inline void store_low_bytes(void* bytes, Ints v) {
  const int32_t four = _mm_cvtsi128_si32(_mm_shuffle_epi8(v, _mm_set1_epi32(0x0c080400)));
  __builtin_memcpy(bytes, &four, sizeof four);
}
static inline void store_low_words(int16_t* words, Ints v) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(words), _mm_packs_epi32(v, v));
}

static inline Floats all_floats(float v) { return _mm_set1_ps(v); }
static inline Floats loadu_floats(const float* p) { return _mm_loadu_ps(p); }
static inline void storeu_floats(float* p, Floats v) { _mm_storeu_ps(p, v); }
static inline Floats to_floats(Ints v) { return _mm_cvtepi32_ps(v); }
static inline Ints cut(Floats v) { return _mm_cvttps_epi32(v); }
static inline Floats cut_floats(Floats v) {
  return _mm_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
static inline Floats bits_and(Floats a, Floats b) { return _mm_and_ps(a, b); }
static inline Floats bits_or(Floats a, Floats b) { return _mm_or_ps(a, b); }
static inline Floats without_sign(Floats v) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), v); }
static inline Floats min_floats(Floats a, Floats b) { return _mm_min_ps(a, b); }
static inline Floats max_floats(Floats a, Floats b) { return _mm_max_ps(a, b); }
static inline Floats at_least(Floats a, Floats b) { return _mm_cmpge_ps(a, b); }
static inline Floats choose(Floats mask, Floats a, Floats b) { return _mm_blendv_ps(b, a, mask); }
static inline Floats multiply_add(Floats a, Floats b, Floats c) { return a * b + c; }

#endif

// acc += the products of 4 bytes of x and of w in each lane: of uint8 and int8 if kBytes, otherwise
// of pairs of int16.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
constexpr bool kBytes = true;
// GCC 12 spills the accumulators around its intrinsic.
[[gnu::always_inline]] static inline void dot(Ints& acc, Ints x, Ints w) {
#if defined(__AVX512VNNI__)
  __asm__("vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
#else
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
#endif
}
#else
constexpr bool kBytes = false;
[[gnu::always_inline]] static inline void dot(Ints& acc, Ints x, Ints w) {
  acc = add32(acc, madd16(x, w));
}
#endif

// 4 bytes in each lane.
static inline Ints broadcast(const uint8_t* x) {
  int32_t bytes;
  __builtin_memcpy(&bytes, x, sizeof bytes);
  return all32(bytes);
}

// The float form cuts its sum towards zero: set around the code that uses scaled().
static inline unsigned round_towards_zero() {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | _MM_ROUND_TOWARD_ZERO);
  return before;
}

}  // namespace edge::x86
