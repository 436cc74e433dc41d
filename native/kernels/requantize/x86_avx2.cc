// 8 columns at a time, all rows of the tile, so that a column's constants are made once.
#include "kernels/requantize/x86_avx2.h"

namespace edge::requantize {

// Clamps bytes as int8; uint8 values are int8 ones around 0 until `flip` turns them back.
struct Clamp {
  __m256i shift;  // int16: 128 for uint8, 0 for int8
  __m256i min, max, flip;
};

static Clamp make_clamp(const Params& p) {
  const int shift = p.min >= 0 ? 128 : 0;
  return {_mm256_set1_epi16(static_cast<int16_t>(shift)),
          _mm256_set1_epi8(static_cast<char>(p.min - shift)),
          _mm256_set1_epi8(static_cast<char>(p.max - shift)),
          _mm256_set1_epi8(static_cast<char>(shift))};
}

// Four rows of 8 int32 -> their clamped bytes, row after row.
static __m256i pack(const __m256i r[4], const Clamp& clamp) {
  const __m256i r01 = _mm256_subs_epi16(_mm256_packs_epi32(r[0], r[1]), clamp.shift);
  const __m256i r23 = _mm256_subs_epi16(_mm256_packs_epi32(r[2], r[3]), clamp.shift);
  __m256i v = _mm256_packs_epi16(r01, r23);
  v = _mm256_min_epi8(_mm256_max_epi8(v, clamp.min), clamp.max);
  v = _mm256_xor_si256(v, clamp.flip);
  // 128-bit lanes hold columns 0-3 and 4-7 of the four rows.
  return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

template <int kRows>
static void store(__m256i v, uint8_t* out, size_t stride, size_t cols) {
  const __m128i halves[2] = {_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)};
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    const __m128i half = halves[i / 2];
    const int64_t bytes = i % 2 == 0 ? _mm_cvtsi128_si64(half) : _mm_extract_epi64(half, 1);
    if (cols >= 8) {
      __builtin_memcpy(out + i * stride, &bytes, 8);
    } else {
      for (size_t n = 0; n < cols; ++n) out[i * stride + n] = static_cast<uint8_t>(bytes >> 8 * n);
    }
  }
}

static __m256i load_tail(const int32_t* p, size_t cols) {
  if (cols >= 8) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  alignas(32) int32_t padded[8] = {};
  for (size_t n = 0; n < cols; ++n) padded[n] = p[n];
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(padded));
}

template <int kRows>
static void dr_rows(const int32_t* acc, size_t acc_stride, const Dr& dr, const Clamp& clamp,
                    uint8_t* out, size_t out_stride, size_t cols) {
  __m256i r[4] = {};
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    r[i] = apply(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(acc + i * acc_stride)), dr);
  }
  store<kRows>(pack(r, clamp), out, out_stride, cols);
}

void requantize_dr_avx2(const Args& args) {
  const Params& p = *args.params;
  const int32_t* multiplier = p.multiplier + args.first_col;
  const int32_t* exponent = p.exponent + args.first_col;
  const Clamp clamp = make_clamp(p);
  for (size_t n = 0; n < args.cols; n += 8) {
    const size_t cols = args.cols - n;
    const Dr dr =
        make_dr(load_tail(multiplier + n, cols), load_tail(exponent + n, cols), p.zero_point);
    const int32_t* acc = args.acc + n;
    uint8_t* out = args.out + n;
    size_t rows = args.rows;
    for (; rows >= 4; rows -= 4) {
      dr_rows<4>(acc, args.acc_stride, dr, clamp, out, args.out_stride, cols);
      acc += 4 * args.acc_stride;
      out += 4 * args.out_stride;
    }
    if (rows == 3) dr_rows<3>(acc, args.acc_stride, dr, clamp, out, args.out_stride, cols);
    if (rows == 2) dr_rows<2>(acc, args.acc_stride, dr, clamp, out, args.out_stride, cols);
    if (rows == 1) dr_rows<1>(acc, args.acc_stride, dr, clamp, out, args.out_stride, cols);
  }
}

// round_half_away(x * scale) for 4 columns; the conversion gives INT32_MIN for what does not fit.
static __m128i real4(__m128i x, __m256d scale) {
  const __m256d sign = _mm256_set1_pd(-0.0);
  const __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(x), scale);
  const __m256d whole = _mm256_round_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256d rest = _mm256_andnot_pd(sign, _mm256_sub_pd(v, whole));  // exact
  const __m256d away = _mm256_and_pd(_mm256_cmp_pd(rest, _mm256_set1_pd(0.5), _CMP_GE_OQ),
                                     _mm256_or_pd(_mm256_set1_pd(1.0), _mm256_and_pd(sign, v)));
  return _mm256_cvttpd_epi32(_mm256_add_pd(whole, away));
}

void requantize_real_avx2(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  const Clamp clamp = make_clamp(p);
  const __m256i zero_point = _mm256_set1_epi32(p.zero_point);
  for (size_t n = 0; n < args.cols; n += 8) {
    const size_t cols = args.cols - n;
    double scales[8] = {};
    for (size_t c = 0; c < 8 && c < cols; ++c) scales[c] = scale[n + c];
    for (size_t i = 0; i < args.rows; ++i) {
      const int32_t* acc = args.acc + i * args.acc_stride + n;
      const __m128i low =
          real4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(acc)), _mm256_loadu_pd(scales));
      const __m128i high = real4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(acc + 4)),
                                 _mm256_loadu_pd(scales + 4));
      const __m256i r[4] = {_mm256_add_epi32(_mm256_set_m128i(high, low), zero_point)};
      store<1>(pack(r, clamp), args.out + i * args.out_stride + n, args.out_stride, cols);
    }
  }
}

// floor(x * scale + 0.5) for 4 columns.
static __m128i reduced4(__m128i x, __m256d scale) {
  const __m256d v = _mm256_fmadd_pd(_mm256_cvtepi32_pd(x), scale, _mm256_set1_pd(0.5));
  return _mm256_cvttpd_epi32(_mm256_floor_pd(v));
}

// int16 results of 8 columns at a time.
template <__m128i (*kRound)(__m128i, __m256d)>
static void wide(const Args& args) {
  const Params& p = *args.params;
  const double* scale = p.scale + args.first_col;
  const __m128i min = _mm_set1_epi16(static_cast<int16_t>(p.min));
  const __m128i max = _mm_set1_epi16(static_cast<int16_t>(p.max));
  for (size_t n = 0; n < args.cols; n += 8) {
    const size_t cols = args.cols - n < 8 ? args.cols - n : 8;
    double scales[8] = {};
    for (size_t c = 0; c < cols; ++c) scales[c] = scale[n + c];
    const __m256d low = _mm256_loadu_pd(scales), high = _mm256_loadu_pd(scales + 4);
    const int32_t* acc = args.acc + n;
    int16_t* out = reinterpret_cast<int16_t*>(args.out) + n;
    for (size_t i = 0; i < args.rows; ++i, acc += args.acc_stride, out += args.out_stride) {
      const __m128i a = kRound(_mm_loadu_si128(reinterpret_cast<const __m128i*>(acc)), low);
      const __m128i b = kRound(_mm_loadu_si128(reinterpret_cast<const __m128i*>(acc + 4)), high);
      const __m128i v = _mm_min_epi16(_mm_max_epi16(_mm_packs_epi32(a, b), min), max);
      if (cols == 8) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v);
      } else {
        int16_t values[8];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(values), v);
        for (size_t c = 0; c < cols; ++c) out[c] = values[c];
      }
    }
  }
}

void requantize_wide_real_avx2(const Args& args) { wide<real4>(args); }
void requantize_wide_reduced_avx2(const Args& args) { wide<reduced4>(args); }

}  // namespace edge::requantize
