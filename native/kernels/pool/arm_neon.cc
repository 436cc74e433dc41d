// 16 channels of 8 bits or 4 floats at a time; a last group that is cut is read past the channels
// (kOverread) and written through a buffer.
#include "kernels/arm_neon.h"

#include "kernels/pool/pool.h"

namespace edge::pool {

static uint8x16_t load16(const void* x, size_t c) {
  return vld1q_u8(static_cast<const uint8_t*>(x) + c);
}

static void store16(void* out, size_t c, size_t channels, uint8x16_t v) {
  uint8_t* to = static_cast<uint8_t*>(out) + c;
  if (channels - c >= 16) {
    vst1q_u8(to, v);
    return;
  }
  uint8_t bytes[16];
  vst1q_u8(bytes, v);
  for (size_t i = 0; c + i < channels; ++i) to[i] = bytes[i];
}

struct Sums {
  int32x4_t of[4];  // 4 channels each
};

template <bool kUnsigned>
static Sums sum16(const Args& args, size_t c) {
  // A byte fits int16 sums 128 times.
  constexpr size_t kBurst = 128;
  Sums sums = {};
  for (size_t t0 = 0; t0 < args.taps; t0 += kBurst) {
    int16x8_t low = vdupq_n_s16(0), high = vdupq_n_s16(0);
    for (size_t t = t0; t < t0 + kBurst && t < args.taps; ++t) {
      const uint8x16_t x = load16(args.x[t], c);
      if (kUnsigned) {
        low = vreinterpretq_s16_u16(vaddw_u8(vreinterpretq_u16_s16(low), vget_low_u8(x)));
        high = vreinterpretq_s16_u16(vaddw_high_u8(vreinterpretq_u16_s16(high), x));
      } else {
        low = vaddw_s8(low, vget_low_s8(vreinterpretq_s8_u8(x)));
        high = vaddw_high_s8(high, vreinterpretq_s8_u8(x));
      }
    }
    sums.of[0] = vaddw_s16(sums.of[0], vget_low_s16(low));
    sums.of[1] = vaddw_high_s16(sums.of[1], low);
    sums.of[2] = vaddw_s16(sums.of[2], vget_low_s16(high));
    sums.of[3] = vaddw_high_s16(sums.of[3], high);
  }
  return sums;
}

// (a > 0 ? a + n / 2 : a - n / 2) / n toward zero, cut to [min, max]. Quotients are at most 256, so
// that a float finds them, or, as 1 / n is taken too small by more than all its errors, 1 less.
static int32x4_t average4(int32x4_t a, int32_t n, const Args& args) {
  const int32x4_t divisor = vdupq_n_s32(n);
  const int32x4_t sum = vaddq_s32(vabsq_s32(a), vdupq_n_s32(n / 2));
  const float part = (1 - 0x1p-20f) / static_cast<float>(n);
  int32x4_t v = vcvtq_s32_f32(vmulq_n_f32(vcvtq_f32_s32(sum), part));
  const uint32x4_t more = vcgeq_s32(vmlsq_s32(sum, v, divisor), divisor);
  v = vsubq_s32(v, vreinterpretq_s32_u32(more));
  const int32x4_t sign = vshrq_n_s32(a, 31);
  v = vsubq_s32(veorq_s32(v, sign), sign);
  return vminq_s32(vmaxq_s32(v, vdupq_n_s32(args.min)), vdupq_n_s32(args.max));
}

static void average(const Args& args, size_t c, const Sums& sums) {
  const int32_t n = static_cast<int32_t>(args.taps);
  int16x4_t words[4];
  for (int i = 0; i < 4; ++i) words[i] = vmovn_s32(average4(sums.of[i], n, args));
  const int8x8_t low = vmovn_s16(vcombine_s16(words[0], words[1]));
  const int8x8_t high = vmovn_s16(vcombine_s16(words[2], words[3]));
  store16(args.out, c, args.channels, vreinterpretq_u8_s8(vcombine_s8(low, high)));
}

static void add(const Args& args, size_t c, const Sums& sums) {
  int32_t values[16];
  for (int i = 0; i < 4; ++i) vst1q_s32(values + i * 4, sums.of[i]);
  int32_t* out = static_cast<int32_t*>(args.out) + c;
  for (size_t i = 0; i < 16 && c + i < args.channels; ++i) out[i] += values[i];
}

void average_i8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) average(args, c, sum16<false>(args, c));
}
void average_u8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) average(args, c, sum16<true>(args, c));
}
void sum_i8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) add(args, c, sum16<false>(args, c));
}
void sum_u8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) add(args, c, sum16<true>(args, c));
}

void max_i8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) {
    int8x16_t v = vdupq_n_s8(static_cast<int8_t>(args.min));
    for (size_t t = 0; t < args.taps; ++t) {
      v = vmaxq_s8(v, vreinterpretq_s8_u8(load16(args.x[t], c)));
    }
    v = vminq_s8(v, vdupq_n_s8(static_cast<int8_t>(args.max)));
    store16(args.out, c, args.channels, vreinterpretq_u8_s8(v));
  }
}

void max_u8_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 16) {
    uint8x16_t v = vdupq_n_u8(static_cast<uint8_t>(args.min));
    for (size_t t = 0; t < args.taps; ++t) v = vmaxq_u8(v, load16(args.x[t], c));
    v = vminq_u8(v, vdupq_n_u8(static_cast<uint8_t>(args.max)));
    store16(args.out, c, args.channels, v);
  }
}

#ifdef __aarch64__  // the vectors of 32-bit ARM take subnormal numbers for zero

static float32x4_t load4(const void* x, size_t c) {
  return vld1q_f32(static_cast<const float*>(x) + c);
}

// A NaN stays one.
static void store_clamped4(const Args& args, size_t c, float32x4_t v) {
  v = vminq_f32(vmaxq_f32(v, vdupq_n_f32(args.min_f32)), vdupq_n_f32(args.max_f32));
  float* out = static_cast<float*>(args.out) + c;
  if (args.channels - c >= 4) {
    vst1q_f32(out, v);
    return;
  }
  float values[4];
  vst1q_f32(values, v);
  for (size_t i = 0; c + i < args.channels; ++i) out[i] = values[i];
}

void average_f32_neon(const Args& args) {
  const float32x4_t n = vdupq_n_f32(static_cast<float>(args.taps));
  for (size_t c = 0; c < args.channels; c += 4) {
    float32x4_t v = vdupq_n_f32(0);
    for (size_t t = 0; t < args.taps; ++t) v = vaddq_f32(v, load4(args.x[t], c));
    store_clamped4(args, c, vdivq_f32(v, n));
  }
}

void max_f32_neon(const Args& args) {
  for (size_t c = 0; c < args.channels; c += 4) {
    float32x4_t v = load4(args.x[0], c);
    for (size_t t = 1; t < args.taps; ++t) {
      const float32x4_t x = load4(args.x[t], c);
      v = vbslq_f32(vcgtq_f32(x, v), x, v);  // fmax would spread a NaN
    }
    store_clamped4(args, c, v);
  }
}

#endif

}  // namespace edge::pool
