// gemmlowp's fixed-point arithmetic, as far as TFLite's integer softmax uses it. Qi.f below: an
// int32 with i integer bits and f = 31 - i fraction bits.
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

}  // namespace edge::softmax
