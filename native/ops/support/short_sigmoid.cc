#include "ops/support/short_sigmoid.h"

#include <algorithm>

namespace edge {
namespace {

// Qi: an int16 with i integer bits and 15 - i fraction bits.
constexpr int16_t kOne = INT16_MAX;  // Q0

int16_t saturate(int32_t x) {
  return static_cast<int16_t>(std::clamp<int32_t>(x, INT16_MIN, INT16_MAX));
}

// Product of Qa and Qb as Q(a+b), rounded half up.
int16_t multiply(int16_t a, int16_t b) { return saturate((a * b + (1 << 14)) >> 15); }

// x / 2^n, rounded half away from zero.
int16_t divide(int16_t x, int n) {
  return static_cast<int16_t>((x + (1 << (n - 1)) - (x < 0)) >> n);
}

int16_t raise(int16_t x, int n) { return saturate(x * (1 << n)); }

// Sums wrap where TFLite's do.
int16_t add(int16_t a, int16_t b) { return static_cast<int16_t>(a + b); }

// exp of a Q0 in [-1/4, 0): a polynomial about -1/8.
int16_t exp_of_quarter(int16_t a) {
  constexpr int16_t kExpEighth = 28918, kThird = 10923;  // exp(-1/8), 1/3
  const int16_t x = add(a, 1 << 12);
  const int16_t x2 = multiply(x, x), x3 = multiply(x2, x), x4 = multiply(x2, x2);
  const int16_t higher = divide(add(multiply(add(divide(x4, 2), x3), kThird), x2), 1);
  return saturate(kExpEighth + multiply(kExpEighth, add(x, higher)));
}

// exp of a number that is 0 or below, as Q0.
int16_t exp_of_negative(int16_t a, int integer_bits) {
  // exp(-2^e) for e = -2, -1, ... as Q0.
  constexpr int16_t kPowers[] = {25520, 19875, 12055, 4435, 600, 11, 0};
  if (a == 0) return kOne;
  const int fraction = 15 - integer_bits;
  if (integer_bits > 5 && a < -(1 << (20 - integer_bits))) return 0;
  const int32_t quarter = 1 << (fraction - 2);
  const int16_t part = static_cast<int16_t>((a & (quarter - 1)) - quarter);
  int16_t result = exp_of_quarter(raise(part, integer_bits));
  const int32_t rest = part - a;
  for (int e = -2; e < 5 && e < integer_bits; ++e) {
    if (rest & (1 << (fraction + e))) result = multiply(result, kPowers[e + 2]);
  }
  return result;
}

// 2 / (1 + x) as Q2, x a Q0 in [0, 1]: Newton's method.
int16_t twice_reciprocal(int16_t x) {
  constexpr int16_t k48Over17 = 23130, kMinus32Over17 = -15420;  // Q2
  const int16_t half = static_cast<int16_t>((x + kOne + 1) / 2);
  int16_t y = add(k48Over17, multiply(half, kMinus32Over17));
  for (int step = 0; step < 3; ++step) {
    const int16_t error = add(1 << 13, static_cast<int16_t>(-multiply(half, y)));
    y = add(y, raise(multiply(y, error), 2));
  }
  return y;
}

}  // namespace

int16_t short_sigmoid(int16_t x) {
  if (x == 0) return 1 << 14;
  const int16_t negative = x > 0 ? static_cast<int16_t>(-x) : x;
  const int16_t y = raise(twice_reciprocal(exp_of_negative(negative, 3)), 1);
  return x > 0 ? y : static_cast<int16_t>(kOne - y);
}

int16_t short_tanh(int16_t x, int integer_bits) {
  if (x == 0) return 0;
  const int16_t negative = x > 0 ? static_cast<int16_t>(-x) : x;
  const int16_t y =
      raise(add(twice_reciprocal(exp_of_negative(negative, integer_bits + 1)), -(1 << 13)), 2);
  return x > 0 ? y : static_cast<int16_t>(-y);
}

}  // namespace edge
