// The products with the rows' weights are the same for all pixels between two columns, so they are
// made once, into scratch; then 8 channels at a time.
//
// All but the last vectors of a row are stored whole: what a pixel leaves behind its channels the
// next one writes over.
#include <immintrin.h>

#include "kernels/resize/resize.h"

namespace edge::resize {

// The first kCount elements of a vector, or the n that there is room for.
template <size_t kCount = 8, typename T>
static void store(T* out, __m256i v, size_t n) {
  if (n >= kCount) {
    __builtin_memcpy(out, &v, kCount * sizeof(T));
  } else {
    alignas(32) uint8_t bytes[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), v);
    __builtin_memcpy(out, bytes, n * sizeof(T));
  }
}

// The low bytes of 8 int32, in the lowest 8 bytes.
static __m256i narrow(__m256i v) {
  const __m256i low_bytes = _mm256_set1_epi32(0x0c080400);
  v = _mm256_shuffle_epi8(v, low_bytes);
  return _mm256_castsi128_si256(
      _mm_unpacklo_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

static __m256i load_bytes(const uint8_t* x) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
}

static __m256i load_bytes(const int8_t* x) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
}

static __m256 load_real(const uint8_t* x) { return _mm256_cvtepi32_ps(load_bytes(x)); }
static __m256 load_real(const float* x) { return _mm256_loadu_ps(x); }

static size_t row_elements(const Args& args) { return args.in_cols * args.channels; }

// scaled[i] = x[i] * weight, and some more behind the end of both.
template <typename T>
static void scale(const T* x, size_t n, float weight, float* scaled) {
  const __m256 w = _mm256_set1_ps(weight);
  for (size_t i = 0; i < n; i += 8) {
    _mm256_storeu_ps(scaled + i, _mm256_mul_ps(load_real(x + i), w));
  }
}

// out = finish(mean)
template <typename T, typename Finish>
static void real(const Args& args, const Finish& finish) {
  float* top = static_cast<float*>(args.scratch);
  float* bottom = top + row_elements(args) + 16;
  scale(static_cast<const T*>(args.top), row_elements(args), args.near_top, top);
  scale(static_cast<const T*>(args.bottom), row_elements(args), args.near_bottom, bottom);
  const size_t channels = args.channels;
  const Place* p = args.places;
  T* out = static_cast<T*>(args.out);
  for (T* end = out + args.cols * channels; out < end; out += channels, ++p) {
    const __m256 l = _mm256_set1_ps(p->near_low), r = _mm256_set1_ps(p->near_high);
    const size_t low = p->low * channels, high = p->high * channels;
    for (size_t c = 0; c < channels; c += 8) {
      __m256 mean = _mm256_mul_ps(_mm256_loadu_ps(top + low + c), l);
      mean = _mm256_add_ps(mean, _mm256_mul_ps(_mm256_loadu_ps(bottom + low + c), l));
      mean = _mm256_add_ps(mean, _mm256_mul_ps(_mm256_loadu_ps(top + high + c), r));
      mean = _mm256_add_ps(mean, _mm256_mul_ps(_mm256_loadu_ps(bottom + high + c), r));
      store(out + c, finish(mean), static_cast<size_t>(end - (out + c)));
    }
  }
}

void resize_f32_avx2(const Args& args) {
  real<float>(args, [](__m256 mean) { return _mm256_castps_si256(mean); });
}

void resize_u8_avx2(const Args& args) {
  real<uint8_t>(args, [](__m256 mean) {
    return narrow(_mm256_cvttps_epi32(_mm256_add_ps(mean, _mm256_set1_ps(0.5f))));
  });
}

// Integer sums may be taken in any order, both rows' first. They need 16 bits.
void resize_u8_sixteenths_avx2(const Args& args) {
  const uint8_t *top = static_cast<const uint8_t*>(args.top),
                *bottom = static_cast<const uint8_t*>(args.bottom);
  uint16_t* both = static_cast<uint16_t*>(args.scratch);
  const auto sixteenths = [](float near) {
    return _mm256_set1_epi16(static_cast<short>(near * 16));
  };
  const auto load = [](const void* x) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(x));
  };
  const auto widen = [](const uint8_t* x) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  };
  const __m256i near_top = sixteenths(args.near_top), near_bottom = sixteenths(args.near_bottom);
  const size_t n = row_elements(args), channels = args.channels;
  for (size_t k = 0; k < n; k += 16) {
    const __m256i sum = _mm256_add_epi16(_mm256_mullo_epi16(widen(top + k), near_top),
                                         _mm256_mullo_epi16(widen(bottom + k), near_bottom));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(both + k), sum);
  }
  uint8_t* out = static_cast<uint8_t*>(args.out);
  const Place* p = args.places;
  const __m256i half = _mm256_set1_epi16(128);
  for (uint8_t* end = out + args.cols * channels; out < end; out += channels, ++p) {
    const __m256i l = sixteenths(p->near_low), r = sixteenths(p->near_high);
    const uint16_t *low = both + p->low * channels, *high = both + p->high * channels;
    for (size_t c = 0; c < channels; c += 16) {
      const __m256i sum = _mm256_add_epi16(_mm256_mullo_epi16(load(low + c), l),
                                           _mm256_mullo_epi16(load(high + c), r));
      const __m256i mean = _mm256_srli_epi16(_mm256_add_epi16(sum, half), 8);
      const __m128i bytes =
          _mm_packus_epi16(_mm256_castsi256_si128(mean), _mm256_extracti128_si256(mean, 1));
      store<16>(out + c, _mm256_castsi128_si256(bytes), static_cast<size_t>(end - (out + c)));
    }
  }
}

// 32 bits here.
void resize_i8_avx2(const Args& args) {
  const int8_t *top = static_cast<const int8_t*>(args.top),
               *bottom = static_cast<const int8_t*>(args.bottom);
  int32_t* both = static_cast<int32_t*>(args.scratch);
  const __m256i near_top = _mm256_set1_epi32(static_cast<int32_t>(args.near_top));
  const __m256i near_bottom = _mm256_set1_epi32(static_cast<int32_t>(args.near_bottom));
  const size_t n = row_elements(args), channels = args.channels;
  for (size_t k = 0; k < n; k += 8) {
    const __m256i sum = _mm256_add_epi32(_mm256_mullo_epi32(load_bytes(top + k), near_top),
                                         _mm256_mullo_epi32(load_bytes(bottom + k), near_bottom));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(both + k), sum);
  }
  uint8_t* out = static_cast<uint8_t*>(args.out);
  const Place* p = args.places;
  const __m256i half = _mm256_set1_epi32(1 << 19);
  for (uint8_t* end = out + args.cols * channels; out < end; out += channels, ++p) {
    const __m256i l = _mm256_set1_epi32(static_cast<int32_t>(p->near_low));
    const __m256i r = _mm256_set1_epi32(static_cast<int32_t>(p->near_high));
    const int32_t *low = both + p->low * channels, *high = both + p->high * channels;
    for (size_t c = 0; c < channels; c += 8) {
      const __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + c));
      const __m256i right = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + c));
      const __m256i sum =
          _mm256_add_epi32(_mm256_mullo_epi32(left, l), _mm256_mullo_epi32(right, r));
      const __m256i size = _mm256_srli_epi32(_mm256_add_epi32(_mm256_abs_epi32(sum), half), 20);
      store(out + c, narrow(_mm256_sign_epi32(size, sum)), static_cast<size_t>(end - (out + c)));
    }
  }
}

}  // namespace edge::resize
