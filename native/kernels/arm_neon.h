// What NEON files of all families have to write in another way for 32-bit ARM (ARMv7) than for
// 64-bit ARM. They include this in place of <arm_neon.h> and use the names of 64-bit ARM.
#pragma once

#include <arm_neon.h>

#include <cstddef>

namespace edge::neon {

// Instructions by name, where GCC 12 would reorder its intrinsics until the sums no longer fit the
// registers, or move values between registers before it combines them.
#ifdef __aarch64__

constexpr int kRegisters = 32;

[[gnu::always_inline]] static inline void multiply_low(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("smull %0.8h, %1.8b, %2.8b" : "=w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void multiply_high(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("smull2 %0.8h, %1.16b, %2.16b" : "=w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_low(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("smlal %0.8h, %1.8b, %2.8b" : "+w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_high(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("smlal2 %0.8h, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_pairs(int32x4_t& sum, int16x8_t products) {
  __asm__ volatile("sadalp %0.4s, %1.8h" : "+w"(sum) : "w"(products));
}
[[gnu::always_inline]] static inline void add_product(float32x4_t& sum, float32x4_t x) {
  __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(sum) : "w"(x));
}

// The two vectors kOffset bytes behind `from` by one instruction, which GCC 12 does not always
// find. What was just written there needs a barrier.
template <int kOffset, typename T, typename V>
[[gnu::always_inline]] static inline void load_pair(const T* from, V& a, V& b) {
  __asm__ volatile("ldp %q0, %q1, [%2, %3]" : "=w"(a), "=w"(b) : "r"(from), "i"(kOffset));
}
// The lower half of a vector; the upper one is anything.
[[gnu::always_inline]] static inline void load_low(const int8_t* from, size_t k, int8x16_t& x) {
  __asm__ volatile("ldr %d0, [%1, %2]" : "=w"(x) : "r"(from), "r"(k));
}

// Bytes 0 1 of x four times, then 2 3; and 4 5, then 6 7 as `next`.
struct Spread {
  uint8x16_t first, next;
};
[[gnu::always_inline]] static inline Spread make_spread() {
  static const uint8_t kSpread[32] = {0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3,
                                      4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7};
  return {vld1q_u8(kSpread), vld1q_u8(kSpread + 16)};
}
[[gnu::always_inline]] static inline void spread_pairs(const Spread& spread, int8x16_t& x,
                                                       int8x16_t& next) {
  __asm__ volatile("tbl %0.16b, {%1.16b}, %2.16b" : "=w"(next) : "w"(x), "w"(spread.next));
  __asm__ volatile("tbl %0.16b, {%0.16b}, %1.16b" : "+w"(x) : "w"(spread.first));
}

// 8 values as int16, 16 as int8 or uint8, saturated.
static inline int16x8_t narrow(int32x4_t low, int32x4_t high) {
  int16x8_t r;
  __asm__("sqxtn %0.4h, %1.4s\n\tsqxtn2 %0.8h, %2.4s" : "=&w"(r) : "w"(low), "w"(high));
  return r;
}
static inline int8x16_t narrow(int16x8_t low, int16x8_t high) {
  int8x16_t r;
  __asm__("sqxtn %0.8b, %1.8h\n\tsqxtn2 %0.16b, %2.8h" : "=&w"(r) : "w"(low), "w"(high));
  return r;
}
static inline uint8x16_t narrow_to_uint8(int16x8_t low, int16x8_t high) {
  uint8x16_t r;
  __asm__("sqxtun %0.8b, %1.8h\n\tsqxtun2 %0.16b, %2.8h" : "=&w"(r) : "w"(low), "w"(high));
  return r;
}

// sum + a * b, or a times lane kLane of b.
static inline float32x4_t multiply_add(float32x4_t sum, float32x4_t a, float32x4_t b) {
  return vfmaq_f32(sum, a, b);
}
template <int kLane>
[[gnu::always_inline]] static inline float32x4_t multiply_add_lane(float32x4_t sum, float32x4_t a,
                                                                   float32x4_t b) {
  return vfmaq_laneq_f32(sum, a, b, kLane);
}

#else

constexpr int kRegisters = 16;

[[gnu::always_inline]] static inline void multiply_low(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("vmull.s8 %q0, %e1, %e2" : "=w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void multiply_high(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("vmull.s8 %q0, %f1, %f2" : "=w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_low(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("vmlal.s8 %q0, %e1, %e2" : "+w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_high(int16x8_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("vmlal.s8 %q0, %f1, %f2" : "+w"(sum) : "w"(x), "w"(w));
}
[[gnu::always_inline]] static inline void add_pairs(int32x4_t& sum, int16x8_t products) {
  __asm__ volatile("vpadal.s16 %q0, %q1" : "+w"(sum) : "w"(products));
}
[[gnu::always_inline]] static inline void add_product(float32x4_t& sum, float32x4_t x) {
  __asm__ volatile("vmla.f32 %q0, %q1, %q1" : "+w"(sum) : "w"(x));
}

template <int kOffset, typename T, typename V>
[[gnu::always_inline]] static inline void load_pair(const T* from, V& a, V& b) {
  const char* at = reinterpret_cast<const char*>(from) + kOffset;
  __asm__ volatile("vld1.8 {%e0, %f0}, [%1]" : "=w"(a) : "r"(at));
  __asm__ volatile("vld1.8 {%e0, %f0}, [%1]" : "=w"(b) : "r"(at + 16));
}
[[gnu::always_inline]] static inline void load_low(const int8_t* from, size_t k, int8x16_t& x) {
  __asm__ volatile("vld1.8 {%e0}, [%1]" : "=w"(x) : "r"(from + k));
}

struct Spread {};
[[gnu::always_inline]] static inline Spread make_spread() { return {}; }
[[gnu::always_inline]] static inline void spread_pairs(const Spread&, int8x16_t& x,
                                                       int8x16_t& next) {
  __asm__ volatile("vdup.16 %e0, %e1[2]\n\tvdup.16 %f0, %e1[3]" : "=&w"(next) : "w"(x));
  __asm__ volatile("vdup.16 %f0, %e0[1]\n\tvdup.16 %e0, %e0[0]" : "+w"(x));
}

static inline int16x8_t narrow(int32x4_t low, int32x4_t high) {
  return vcombine_s16(vqmovn_s32(low), vqmovn_s32(high));
}
static inline int8x16_t narrow(int16x8_t low, int16x8_t high) {
  return vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
}
static inline uint8x16_t narrow_to_uint8(int16x8_t low, int16x8_t high) {
  return vcombine_u8(vqmovun_s16(low), vqmovun_s16(high));
}

// Multiply-adds of CPUs before VFPv4 round twice.
static inline float32x4_t multiply_add(float32x4_t sum, float32x4_t a, float32x4_t b) {
  return vmlaq_f32(sum, a, b);
}
template <int kLane>
[[gnu::always_inline]] static inline float32x4_t multiply_add_lane(float32x4_t sum, float32x4_t a,
                                                                   float32x4_t b) {
  return vmlaq_lane_f32(sum, a, kLane < 2 ? vget_low_f32(b) : vget_high_f32(b), kLane % 2);
}

#endif

}  // namespace edge::neon

#ifndef __aarch64__

// One by one, by an instruction that is not NEON's and knows subnormal numbers.
static inline float32x4_t vdivq_f32(float32x4_t a, float32x4_t b) { return a / b; }
// To the nearest integer, halves away from zero. What is cut off at first is exact.
static inline int32x4_t vcvtaq_s32_f32(float32x4_t v) {
  const int32x4_t whole = vcvtq_s32_f32(v);
  const float32x4_t rest = vsubq_f32(v, vcvtq_f32_s32(whole));
  return vqaddq_s32(whole, vcvtq_s32_f32(vaddq_f32(rest, rest)));
}
static inline int16x8_t vmull_high_s8(int8x16_t a, int8x16_t b) {
  return vmull_s8(vget_high_s8(a), vget_high_s8(b));
}
static inline int16x8_t vmlal_high_s8(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b));
}
static inline int16x8_t vaddw_high_s8(int16x8_t a, int8x16_t b) {
  return vaddw_s8(a, vget_high_s8(b));
}
static inline uint16x8_t vaddw_high_u8(uint16x8_t a, uint8x16_t b) {
  return vaddw_u8(a, vget_high_u8(b));
}
static inline int32x4_t vaddw_high_s16(int32x4_t a, int16x8_t b) {
  return vaddw_s16(a, vget_high_s16(b));
}
static inline int32x4_t vmovl_high_s16(int16x8_t a) { return vmovl_s16(vget_high_s16(a)); }
static inline int16x8_t vuzp1q_s16(int16x8_t a, int16x8_t b) { return vuzpq_s16(a, b).val[0]; }

#endif
