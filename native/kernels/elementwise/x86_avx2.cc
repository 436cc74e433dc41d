// 8 values of 32 bits or 32 bytes at a time; tails go through a buffer.
//
// Each map is a step of 8 elements: for_each8 holds it twice, once with `left` known to be 8, so
// that the loop holds no trace of the tail.
#include "kernels/requantize/x86_avx2.h"

#include <immintrin.h>

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {

using requantize::dr_avx2;
using requantize::DrAvx2;
using requantize::make_dr_avx2;

// step(i, left): elements i .. i + 7, of which `left` exist.
template <typename Step>
[[gnu::flatten]] static void for_each8(size_t n, const Step& step) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) step(i, size_t{8});
  if (i < n) step(i, n - i);
}

// 8 bytes from x, of which n >= 1 exist, as int32.
template <bool kUnsigned>
static __m256i load8(const void* x, size_t n) {
  __m128i bytes;
  if (n >= 8) {
    bytes = _mm_loadl_epi64(static_cast<const __m128i*>(x));
  } else {
    int64_t padded = 0;
    __builtin_memcpy(&padded, x, n);
    bytes = _mm_cvtsi64_si128(padded);
  }
  return kUnsigned ? _mm256_cvtepu8_epi32(bytes) : _mm256_cvtepi8_epi32(bytes);
}

// The low bytes of 8 int32 within [-128, 255].
static void store8(void* out, size_t n, __m256i v) {
  const __m256i low_bytes =
      _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1,
                       -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  v = _mm256_shuffle_epi8(v, low_bytes);
  const __m128i bytes =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const int64_t word = _mm_cvtsi128_si64(bytes);
  __builtin_memcpy(out, &word, n < 8 ? n : 8);
}

static __m256i clamp(__m256i v, __m256i min, __m256i max) {
  return _mm256_min_epi32(_mm256_max_epi32(v, min), max);
}

namespace {  // member functions are inline, and inline ones would leak out of this file

struct Add {
  __m256i sign_a, sign_b;
  DrAvx2 dr_a, dr_b;

  static Add make(const Params8& p) {
    return {_mm256_set1_epi32(p.sign_a), _mm256_set1_epi32(p.sign_b), make_dr_avx2(p.ma, 0),
            make_dr_avx2(p.mb, 0)};
  }
  __m256i operator()(__m256i a, __m256i b) const {
    a = dr_avx2(_mm256_slli_epi32(a, 20), dr_a);
    b = dr_avx2(_mm256_slli_epi32(b, 20), dr_b);
    return _mm256_add_epi32(_mm256_sign_epi32(a, sign_a), _mm256_sign_epi32(b, sign_b));
  }
};

struct Mul {
  static Mul make(const Params8&) { return {}; }
  __m256i operator()(__m256i a, __m256i b) const { return _mm256_mullo_epi32(a, b); }
};

}  // namespace

template <bool kUnsigned, typename Combine>
static void binary8(const Args8& args) {
  const Params8& p = *args.params;
  const Combine combine = Combine::make(p);
  const DrAvx2 dr = make_dr_avx2(p.mo, p.zero_out);
  const __m256i zero_a = _mm256_set1_epi32(p.zero_a), zero_b = _mm256_set1_epi32(p.zero_b);
  const __m256i min = _mm256_set1_epi32(p.min), max = _mm256_set1_epi32(p.max);
  const uint8_t* a = static_cast<const uint8_t*>(args.a);
  const uint8_t* b = static_cast<const uint8_t*>(args.b);
  __m256i scalar = _mm256_setzero_si256();
  if (args.b_scalar) {
    scalar = _mm256_set1_epi32(kUnsigned ? *b : static_cast<int8_t>(*b));
  }
  for_each8(args.n, [&](size_t i, size_t left) {
    const __m256i vb = args.b_scalar ? scalar : load8<kUnsigned>(b + i, left);
    const __m256i va = load8<kUnsigned>(a + i, left);
    const __m256i x = combine(_mm256_sub_epi32(va, zero_a), _mm256_sub_epi32(vb, zero_b));
    store8(static_cast<uint8_t*>(args.out) + i, left, clamp(dr_avx2(x, dr), min, max));
  });
}

void add_i8_avx2(const Args8& args) { binary8<false, Add>(args); }
void add_u8_avx2(const Args8& args) { binary8<true, Add>(args); }
void mul_i8_avx2(const Args8& args) { binary8<false, Mul>(args); }
void mul_u8_avx2(const Args8& args) { binary8<true, Mul>(args); }

// Bytes are widened by unpacking and narrowed by packing, both within lanes, which keeps the order.
void linear_x8_avx2(const Args8& args) {
  const Linear& p = args.params->linear;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(p.flip));
  const __m256i min = _mm256_xor_si256(_mm256_set1_epi8(static_cast<char>(args.params->min)), flip);
  const __m256i max = _mm256_xor_si256(_mm256_set1_epi8(static_cast<char>(args.params->max)), flip);
  const __m256i high =
      _mm256_unpacklo_epi16(_mm256_set1_epi16(p.high_a), _mm256_set1_epi16(p.high_b));
  const __m256i low = _mm256_unpacklo_epi16(_mm256_set1_epi16(p.low_a), _mm256_set1_epi16(p.low_b));
  const __m256i offset = _mm256_set1_epi32(p.offset), zero = _mm256_setzero_si256();
  const __m128i shift = _mm_cvtsi32_si128(p.shift);
  const auto sum = [&](__m256i pairs) {
    const __m256i upper = _mm256_slli_epi32(_mm256_madd_epi16(pairs, high), 8);
    const __m256i lower = _mm256_srai_epi32(_mm256_madd_epi16(pairs, low), 7);
    return _mm256_sra_epi32(_mm256_add_epi32(_mm256_add_epi32(upper, lower), offset), shift);
  };
  const auto step = [&](const uint8_t* a, const uint8_t* b, uint8_t* out) {
    const __m256i va =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)), flip);
    const __m256i vb =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)), flip);
    const __m256i first = _mm256_unpacklo_epi8(va, vb), last = _mm256_unpackhi_epi8(va, vb);
    const __m256i words = _mm256_packs_epi32(sum(_mm256_unpacklo_epi8(first, zero)),
                                             sum(_mm256_unpackhi_epi8(first, zero)));
    const __m256i more = _mm256_packs_epi32(sum(_mm256_unpacklo_epi8(last, zero)),
                                            sum(_mm256_unpackhi_epi8(last, zero)));
    const __m256i v = _mm256_packus_epi16(words, more);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm256_xor_si256(_mm256_min_epu8(_mm256_max_epu8(v, min), max), flip));
  };
  const uint8_t* a = static_cast<const uint8_t*>(args.a);
  const uint8_t* b = static_cast<const uint8_t*>(args.b);
  uint8_t* out = static_cast<uint8_t*>(args.out);
  alignas(32) uint8_t same[32];
  if (args.b_scalar)
    _mm256_store_si256(reinterpret_cast<__m256i*>(same), _mm256_set1_epi8(static_cast<char>(*b)));
  size_t i = 0;
  for (; i + 32 <= args.n; i += 32) step(a + i, args.b_scalar ? same : b + i, out + i);
  if (i < args.n) {
    alignas(32) uint8_t x[32] = {}, y[32] = {};
    __builtin_memcpy(x, a + i, args.n - i);
    if (!args.b_scalar) __builtin_memcpy(y, b + i, args.n - i);
    step(x, args.b_scalar ? same : y, x);
    __builtin_memcpy(out + i, x, args.n - i);
  }
}

// vpshufb looks up 16 entries; a lane whose high nibble names another 16 gets an index with bit 7
// set, which gives zero, so that the 16 lookups are ORed.
void lut_avx2(const LutArgs& args) {
  __m256i rows[16];
  for (int r = 0; r < 16; ++r) {
    rows[r] = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(args.table) + r));
  }
  const __m256i beyond = _mm256_set1_epi8(0x70);
  size_t i = 0;
  for (; i + 32 <= args.n; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(args.x + i));
    __m256i found = _mm256_setzero_si256();
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      const __m256i nibble = _mm256_set1_epi8(static_cast<char>(r << 4));
      const __m256i index = _mm256_adds_epu8(_mm256_xor_si256(x, nibble), beyond);
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(rows[r], index));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(args.out + i), found);
  }
  for (; i < args.n; ++i) args.out[i] = args.table[args.x[i]];
}

// n >= 1 of 8 floats.
static __m256 load8_f32(const float* x, size_t n) {
  if (n >= 8) return _mm256_loadu_ps(x);
  alignas(32) float padded[8] = {};
  for (size_t i = 0; i < n; ++i) padded[i] = x[i];
  return _mm256_load_ps(padded);
}

static void store8_f32(float* out, size_t n, __m256 v) {
  if (n >= 8) {
    _mm256_storeu_ps(out, v);
    return;
  }
  alignas(32) float values[8];
  _mm256_store_ps(values, v);
  for (size_t i = 0; i < n; ++i) out[i] = values[i];
}

static void quantize(const ConvertArgs& args, int32_t lowest, int32_t highest) {
  const __m256 scale = _mm256_set1_ps(args.scale), sign = _mm256_set1_ps(-0.0f);
  const __m256i zero_point = _mm256_set1_epi32(args.zero_point);
  const __m256i min = _mm256_set1_epi32(lowest), max = _mm256_set1_epi32(highest);
  for_each8(args.n, [&](size_t i, size_t left) {
    const __m256 x = load8_f32(static_cast<const float*>(args.x) + i, left);
    const __m256 v = _mm256_div_ps(x, scale);
    const __m256 whole = _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    const __m256 rest = _mm256_andnot_ps(sign, _mm256_sub_ps(v, whole));  // exact
    const __m256 away = _mm256_and_ps(_mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ),
                                      _mm256_or_ps(_mm256_set1_ps(1.0f), _mm256_and_ps(sign, v)));
    // What does not fit, NaN too, becomes INT32_MIN.
    const __m256i q = _mm256_cvttps_epi32(_mm256_add_ps(whole, away));
    store8(static_cast<uint8_t*>(args.out) + i, left,
           clamp(_mm256_add_epi32(q, zero_point), min, max));
  });
}

template <bool kUnsigned>
static void dequantize(const ConvertArgs& args) {
  const __m256 scale = _mm256_set1_ps(args.scale);
  const __m256i zero_point = _mm256_set1_epi32(args.zero_point);
  for_each8(args.n, [&](size_t i, size_t left) {
    const __m256i q = load8<kUnsigned>(static_cast<const uint8_t*>(args.x) + i, left);
    const __m256 v = _mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero_point));
    store8_f32(static_cast<float*>(args.out) + i, left, _mm256_mul_ps(scale, v));
  });
}

void quantize_i8_avx2(const ConvertArgs& args) { quantize(args, -128, 127); }
void quantize_u8_avx2(const ConvertArgs& args) { quantize(args, 0, 255); }
void dequantize_i8_avx2(const ConvertArgs& args) { dequantize<false>(args); }
void dequantize_u8_avx2(const ConvertArgs& args) { dequantize<true>(args); }

template <__m256 (*kFunction)(__m256, __m256)>
static void binary_f32(const ArgsF32& args) {
  const __m256 min = _mm256_set1_ps(args.min), max = _mm256_set1_ps(args.max);
  for_each8(args.n, [&](size_t i, size_t left) {
    const __m256 a = args.a_scalar ? _mm256_set1_ps(*args.a) : load8_f32(args.a + i, left);
    const __m256 b = args.b_scalar ? _mm256_set1_ps(*args.b) : load8_f32(args.b + i, left);
    // In this order of operands a NaN stays one.
    const __m256 v = _mm256_min_ps(max, _mm256_max_ps(min, kFunction(a, b)));
    store8_f32(args.out + i, left, v);
  });
}

static __m256 add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
static __m256 sub(__m256 a, __m256 b) { return _mm256_sub_ps(a, b); }
static __m256 mul(__m256 a, __m256 b) { return _mm256_mul_ps(a, b); }
static __m256 div(__m256 a, __m256 b) { return _mm256_div_ps(a, b); }
static __m256 min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
static __m256 max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
static __m256 prelu(__m256 a, __m256 b) {
  const __m256 positive = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_GE_OQ);
  return _mm256_blendv_ps(_mm256_mul_ps(a, b), a, positive);
}

void add_f32_avx2(const ArgsF32& args) { binary_f32<add>(args); }
void sub_f32_avx2(const ArgsF32& args) { binary_f32<sub>(args); }
void mul_f32_avx2(const ArgsF32& args) { binary_f32<mul>(args); }
void div_f32_avx2(const ArgsF32& args) { binary_f32<div>(args); }
void min_f32_avx2(const ArgsF32& args) { binary_f32<min>(args); }
void max_f32_avx2(const ArgsF32& args) { binary_f32<max>(args); }
void prelu_f32_avx2(const ArgsF32& args) { binary_f32<prelu>(args); }

}  // namespace edge::elementwise
