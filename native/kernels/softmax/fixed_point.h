// gemmlowp's fixed-point arithmetic, as far as TFLite's integer softmax and division use it. Qi.f
// below: an int32 with i integer bits and f = 31 - i fraction bits.
#pragma once

#include <cstdint>

namespace edge::softmax {

// Product of Qa and Qb as Q(a+b): round(a * b / 2^31), half up.
static inline int32_t multiply(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (int64_t{1} << 30)) >> 31);
}

// x / 2^exponent, rounded half away from zero.
static inline int32_t round_shift(int32_t x, int exponent) {
  if (exponent == 0) return x;
  return static_cast<int32_t>(
      (static_cast<int64_t>(x) + (int64_t{1} << (exponent - 1)) - (x < 0)) >> exponent);
}

// x * 2^exponent, saturating.
static inline int32_t shift_left(int32_t x, int exponent) {
  const int64_t wide = static_cast<int64_t>(x) * (int64_t{1} << exponent);
  return static_cast<int32_t>(wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : wide);
}

// 1 / (1 + x) for x in [0, 1), Q0.31 both: three Newton steps on 2 / (1 + x), kept as Q2.29.
static inline int32_t reciprocal(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  constexpr int32_t kOne = 1 << 29;                // Q2.29
  const int32_t half = static_cast<int32_t>((static_cast<int64_t>(x) + INT32_MAX + 1) / 2);
  int32_t r = k48Over17 + multiply(half, kMinus32Over17);
  for (int step = 0; step < 3; ++step) {
    r += shift_left(multiply(r, kOne - multiply(half, r)), 2);  // Q4.27 -> Q2.29
  }
  return shift_left(r, 1);  // halved, and Q2.29 -> Q0.31
}

}  // namespace edge::softmax
