// 8 values at a time (tables: 16); tails go through a buffer.
//
// Each map is a step of 8 elements: for_each8 holds it twice, once with `left` known to be 8, so
// that the loop holds no trace of the tail.
#include "kernels/requantize/arm_neon.h"

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {

using requantize::dr_neon;
using requantize::DrNeon;
using requantize::make_dr_neon;

// step(i, left): elements i .. i + 7, of which `left` exist.
template <typename Step>
[[gnu::flatten]] static void for_each8(size_t n, const Step& step) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) step(i, size_t{8});
  if (i < n) step(i, n - i);
}

// n >= 1 of 8 bytes as int16.
template <bool kUnsigned>
static int16x8_t load8(const void* x, size_t n) {
  uint8x8_t bytes;
  if (n >= 8) {
    bytes = vld1_u8(static_cast<const uint8_t*>(x));
  } else {
    uint8_t padded[8] = {};
    __builtin_memcpy(padded, x, n);
    bytes = vld1_u8(padded);
  }
  if (kUnsigned) return vreinterpretq_s16_u16(vmovl_u8(bytes));
  return vmovl_s8(vreinterpret_s8_u8(bytes));
}

// The low bytes of 8 int32 within [-128, 255].
static void store8(void* out, size_t n, int32x4_t low, int32x4_t high) {
  const int8x8_t v = vmovn_s16(vcombine_s16(vmovn_s32(low), vmovn_s32(high)));
  if (n >= 8) {
    vst1_s8(static_cast<int8_t*>(out), v);
    return;
  }
  int8_t bytes[8];
  vst1_s8(bytes, v);
  __builtin_memcpy(out, bytes, n);
}

// The same of codes of type T.
template <typename T>
static int16x8_t load_codes(const T* x, size_t n) {
  if constexpr (sizeof(T) == 1) {
    return load8<(static_cast<T>(-1) > 0)>(x, n);
  } else {
    int16_t padded[8] = {};
    if (n < 8) __builtin_memcpy(padded, x, n * sizeof(int16_t));
    return vld1q_s16(n < 8 ? padded : x);
  }
}

template <typename T>
static void store_codes(T* out, size_t n, int32x4_t low, int32x4_t high) {
  if constexpr (sizeof(T) == 1) {
    store8(out, n, low, high);
  } else {
    const int16x8_t v = vcombine_s16(vmovn_s32(low), vmovn_s32(high));
    if (n >= 8) {
      vst1q_s16(out, v);
    } else {
      int16_t values[8];
      vst1q_s16(values, v);
      __builtin_memcpy(out, values, n * sizeof(int16_t));
    }
  }
}

static int32x4_t clamp(int32x4_t v, int32x4_t min, int32x4_t max) {
  return vminq_s32(vmaxq_s32(v, min), max);
}

namespace {  // member functions are inline, and inline ones would leak out of this file

template <int kShift>
struct Add {
  DrNeon dr_a, dr_b;
  int32x4_t sign_a, sign_b;

  static Add make(const Params8& p) {
    return {make_dr_neon(p.ma), make_dr_neon(p.mb), vdupq_n_s32(p.sign_a), vdupq_n_s32(p.sign_b)};
  }
  int32x4_t operator()(int16x4_t a, int16x4_t b) const {
    const int32x4_t wide_a = dr_neon(vshlq_n_s32(vmovl_s16(a), kShift), dr_a);
    const int32x4_t wide_b = dr_neon(vshlq_n_s32(vmovl_s16(b), kShift), dr_b);
    return vmlaq_s32(vmulq_s32(wide_a, sign_a), wide_b, sign_b);
  }
};

struct Mul {
  static Mul make(const Params8&) { return {}; }
  int32x4_t operator()(int16x4_t a, int16x4_t b) const { return vmull_s16(a, b); }
};

}  // namespace

template <typename T, typename Combine>
static void binary8(const Args8& args) {
  const Params8& p = *args.params;
  const Combine combine = Combine::make(p);
  const DrNeon dr = make_dr_neon(p.mo);
  const int16x8_t zero_a = vdupq_n_s16(static_cast<int16_t>(p.zero_a));
  const int16x8_t zero_b = vdupq_n_s16(static_cast<int16_t>(p.zero_b));
  const int32x4_t zero_out = vdupq_n_s32(p.zero_out);
  const int32x4_t min = vdupq_n_s32(p.min), max = vdupq_n_s32(p.max);
  const T* a = static_cast<const T*>(args.a);
  const T* b = static_cast<const T*>(args.b);
  const int16x8_t scalar = vdupq_n_s16(*b);
  for_each8(args.n, [&](size_t i, size_t left) {
    const int16x8_t vb = vsubq_s16(args.b_scalar ? scalar : load_codes(b + i, left), zero_b);
    const int16x8_t va = vsubq_s16(load_codes(a + i, left), zero_a);
    const int32x4_t low = dr_neon(combine(vget_low_s16(va), vget_low_s16(vb)), dr);
    const int32x4_t high = dr_neon(combine(vget_high_s16(va), vget_high_s16(vb)), dr);
    store_codes(static_cast<T*>(args.out) + i, left, clamp(vaddq_s32(low, zero_out), min, max),
                clamp(vaddq_s32(high, zero_out), min, max));
  });
}

// (bytes - zero) << (16 + kShift) of 16 int8.
template <int kShift>
static void widen16(int8x16_t bytes, int16x8_t zero, int32x4_t (&out)[4]) {
  const int16x8_t none = vdupq_n_s16(0), shifted = vshlq_n_s16(zero, kShift);
  const int16x8_t low8 = vsubq_s16(vshll_n_s8(vget_low_s8(bytes), kShift), shifted);
  const int16x8_t high8 = vsubq_s16(vshll_n_s8(vget_high_s8(bytes), kShift), shifted);
  const int16x8x2_t low = vzipq_s16(none, low8), high = vzipq_s16(none, high8);
  out[0] = vreinterpretq_s32_s16(low.val[0]);
  out[1] = vreinterpretq_s32_s16(low.val[1]);
  out[2] = vreinterpretq_s32_s16(high.val[0]);
  out[3] = vreinterpretq_s32_s16(high.val[1]);
}

// DR where no exponent is above 0.
static int32x4_t dr_right(int32x4_t x, const DrNeon& dr) {
  const int32x4_t y = vqrdmulhq_s32(x, dr.m);
  return vrshlq_s32(vsraq_n_s32(y, vandq_s32(y, dr.right), 31), dr.right);
}

template <typename T>
static void swap(T& a, T& b) {
  const T c = a;
  a = b;
  b = c;
}

// Whether DR of an even number is half of it.
static bool halves(const requantize::Multiplier& m) { return m.m == 1 << 30 && m.e == 0; }

// Sums of two vectors, 16 values at a time; the rest, and all else, in binary8. ADD halves the
// operand of the greater scale.
template <bool kUnsigned>
static void add8(const Args8& all) {
  Args8 args = all;
  Params8 p = *all.params;
  if (halves(p.mb)) {
    swap(args.a, args.b);
    swap(p.ma, p.mb);
    swap(p.zero_a, p.zero_b);
  }
  size_t i = 0;
  if (!args.b_scalar && p.sign_a == 1 && p.sign_b == 1 && p.mo.e < 0 && halves(p.ma)) {
    // uint8 values and zero points as int8, less 128.
    const int32_t less = kUnsigned ? 128 : 0;
    const uint8_t flip = kUnsigned ? 0x80 : 0;
    const DrNeon dr_b = make_dr_neon(p.mb);
    const int32x4_t m = vdupq_n_s32(p.mo.m), e = vdupq_n_s32(p.mo.e);
    const int16x8_t zero_a = vdupq_n_s16(static_cast<int16_t>(p.zero_a - less));
    const int16x8_t zero_b = vdupq_n_s16(static_cast<int16_t>(p.zero_b - less));
    const requantize::Output output{p.zero_out - less, p.min - less, p.max - less};
    const auto fixed = requantize::make_fixed_neon(output, flip);
    const uint8x16_t flips = vdupq_n_u8(flip);
    const uint8_t* a = static_cast<const uint8_t*>(args.a);
    const uint8_t* b = static_cast<const uint8_t*>(args.b);
    uint8_t* out = static_cast<uint8_t*>(args.out);
    for (const size_t n = args.n; i + 16 <= n; i += 16) {
      uint8x16_t bytes_a = vld1q_u8(a + i), bytes_b = vld1q_u8(b + i);
      if (kUnsigned) {
        bytes_a = veorq_u8(bytes_a, flips);
        bytes_b = veorq_u8(bytes_b, flips);
      }
      int32x4_t half_a[4], wide_b[4], r[4];
      widen16<3>(vreinterpretq_s8_u8(bytes_a), zero_a, half_a);
      widen16<4>(vreinterpretq_s8_u8(bytes_b), zero_b, wide_b);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) {
        const int32x4_t sum = vaddq_s32(half_a[v], dr_right(wide_b[v], dr_b));
        r[v] = requantize::fixed_neon<true>(sum, m, e);
      }
      int8x16_t bytes[1] = {neon::narrow(vqaddq_s16(neon::narrow(r[0], r[1]), fixed.zero_point),
                                         vqaddq_s16(neon::narrow(r[2], r[3]), fixed.zero_point))};
      if (fixed.cut) requantize::cut_neon(fixed, bytes);
      vst1q_u8(out + i, vreinterpretq_u8_s8(bytes[0]));
    }
  }
  if (i == all.n) return;
  args = all;
  args.n -= i;
  args.a = static_cast<const uint8_t*>(all.a) + i;
  args.b = static_cast<const uint8_t*>(all.b) + (all.b_scalar ? 0 : i);
  args.out = static_cast<uint8_t*>(all.out) + i;
  if (kUnsigned) return binary8<uint8_t, Add<20>>(args);
  binary8<int8_t, Add<20>>(args);
}

void add_i8_neon(const Args8& args) { add8<false>(args); }
void add_u8_neon(const Args8& args) { add8<true>(args); }
void add_i16_neon(const Args8& args) { binary8<int16_t, Add<15>>(args); }
void mul_i8_neon(const Args8& args) { binary8<int8_t, Mul>(args); }
void mul_u8_neon(const Args8& args) { binary8<uint8_t, Mul>(args); }
void mul_i16_neon(const Args8& args) { binary8<int16_t, Mul>(args); }

namespace {

struct Floats8 {
  float32x4_t low, high;
};

}  // namespace

// n >= 1 of 8 floats.
static Floats8 load8_f32(const float* x, size_t n) {
  if (n >= 8) return {vld1q_f32(x), vld1q_f32(x + 4)};
  float padded[8] = {};
  __builtin_memcpy(padded, x, n * sizeof(float));
  return {vld1q_f32(padded), vld1q_f32(padded + 4)};
}

static void store8_f32(float* out, size_t n, const Floats8& v) {
  if (n >= 8) {
    vst1q_f32(out, v.low);
    vst1q_f32(out + 4, v.high);
    return;
  }
  float values[8];
  vst1q_f32(values, v.low);
  vst1q_f32(values + 4, v.high);
  __builtin_memcpy(out, values, n * sizeof(float));
}

// round_half_away(x / scale), INT32_MIN where that does not fit (infinite and NaN too).
static int32x4_t quotient(float32x4_t x, float32x4_t scale) {
  const float32x4_t v = vdivq_f32(x, scale);
  const uint32x4_t fits = vcltq_f32(v, vdupq_n_f32(0x1p31f));
  return vbslq_s32(fits, vcvtaq_s32_f32(v), vdupq_n_s32(INT32_MIN));
}

static void quantize(const ConvertArgs& args, int32_t lowest, int32_t highest) {
  const float32x4_t scale = vdupq_n_f32(args.scale);
  const int32x4_t zero_point = vdupq_n_s32(args.zero_point);
  const int32x4_t min = vdupq_n_s32(lowest), max = vdupq_n_s32(highest);
  for_each8(args.n, [&](size_t i, size_t left) {
    const Floats8 x = load8_f32(static_cast<const float*>(args.x) + i, left);
    store8(static_cast<uint8_t*>(args.out) + i, left,
           clamp(vaddq_s32(quotient(x.low, scale), zero_point), min, max),
           clamp(vaddq_s32(quotient(x.high, scale), zero_point), min, max));
  });
}

template <bool kUnsigned>
static void dequantize(const ConvertArgs& args) {
  const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(args.zero_point));
  for_each8(args.n, [&](size_t i, size_t left) {
    const int16x8_t q =
        vsubq_s16(load8<kUnsigned>(static_cast<const uint8_t*>(args.x) + i, left), zero_point);
    const float32x4_t low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(q)));
    const float32x4_t high = vcvtq_f32_s32(vmovl_high_s16(q));
    store8_f32(static_cast<float*>(args.out) + i, left,
               {vmulq_n_f32(low, args.scale), vmulq_n_f32(high, args.scale)});
  });
}

void quantize_i8_neon(const ConvertArgs& args) { quantize(args, -128, 127); }
void quantize_u8_neon(const ConvertArgs& args) { quantize(args, 0, 255); }
void dequantize_i8_neon(const ConvertArgs& args) { dequantize<false>(args); }
void dequantize_u8_neon(const ConvertArgs& args) { dequantize<true>(args); }

// 32-bit ARM has no room for the table, and its vectors take subnormal numbers for zero.
#ifdef __aarch64__

// tbl looks up 64 entries; tbx keeps what the earlier ones found where its index is out of range.
void lut_neon(const LutArgs& args) {
  uint8x16x4_t rows[4];
  for (int r = 0; r < 4; ++r) {
    for (int i = 0; i < 4; ++i) rows[r].val[i] = vld1q_u8(args.table + r * 64 + i * 16);
  }
  size_t i = 0;
  for (; i + 16 <= args.n; i += 16) {
    const uint8x16_t x = vld1q_u8(args.x + i);
    uint8x16_t found = vqtbl4q_u8(rows[0], x);
    found = vqtbx4q_u8(found, rows[1], vsubq_u8(x, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, rows[2], vsubq_u8(x, vdupq_n_u8(128)));
    found = vqtbx4q_u8(found, rows[3], vsubq_u8(x, vdupq_n_u8(192)));
    vst1q_u8(args.out + i, found);
  }
  for (; i < args.n; ++i) args.out[i] = args.table[args.x[i]];
}

template <float32x4_t (*kFunction)(float32x4_t, float32x4_t)>
static void binary_f32(const ArgsF32& args) {
  const float32x4_t min = vdupq_n_f32(args.min), max = vdupq_n_f32(args.max);
  const float32x4_t first_a = vdupq_n_f32(*args.a), first_b = vdupq_n_f32(*args.b);
  // A NaN stays one.
  const auto apply = [&](float32x4_t a, float32x4_t b) {
    return vminq_f32(vmaxq_f32(kFunction(a, b), min), max);
  };
  for_each8(args.n, [&](size_t i, size_t left) {
    const Floats8 a = args.a_scalar ? Floats8{first_a, first_a} : load8_f32(args.a + i, left);
    const Floats8 b = args.b_scalar ? Floats8{first_b, first_b} : load8_f32(args.b + i, left);
    store8_f32(args.out + i, left, {apply(a.low, b.low), apply(a.high, b.high)});
  });
}

static float32x4_t add(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
static float32x4_t sub(float32x4_t a, float32x4_t b) { return vsubq_f32(a, b); }
static float32x4_t mul(float32x4_t a, float32x4_t b) { return vmulq_f32(a, b); }
static float32x4_t div(float32x4_t a, float32x4_t b) { return vdivq_f32(a, b); }
static float32x4_t min(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static float32x4_t max(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

void add_f32_neon(const ArgsF32& args) { binary_f32<add>(args); }
void sub_f32_neon(const ArgsF32& args) { binary_f32<sub>(args); }
void mul_f32_neon(const ArgsF32& args) { binary_f32<mul>(args); }
void div_f32_neon(const ArgsF32& args) { binary_f32<div>(args); }
void min_f32_neon(const ArgsF32& args) { binary_f32<min>(args); }
void max_f32_neon(const ArgsF32& args) { binary_f32<max>(args); }

#endif

}  // namespace edge::elementwise
