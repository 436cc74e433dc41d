// The inverse square root in integers, as TFLite's reference finds it.
#pragma once

#include <cstdint>

#include "kernels/requantize/requantize.h"
#include "kernels/softmax/fixed_point.h"

namespace edge {

// m * 2^(e - 31) = 1 / sqrt(sum).
inline requantize::Multiplier inverse_root(int32_t sum) {
  if (sum <= 1) return {INT32_MAX, 0};
  // Bring sum into [2^27, 2^29) by a power of 4.
  int shift = 11;
  for (; sum >= 1 << 29; sum /= 4) ++shift;
  const int pairs = (__builtin_clz(static_cast<unsigned>(sum)) - 1) / 2 - 1;
  shift -= pairs;
  sum <<= 2 * pairs;
  // Newton's y <- y * (3 - x * y^2) / 2 in numbers of 3 integer bits, x = sum / 2^29.
  constexpr int32_t kOne = 1 << 28, kHalfThree = kOne + kOne / 2;
  const int32_t half = ((sum >> 1) + 1) >> 1;
  int32_t y = kOne;
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = softmax::shift_left(softmax::multiply(softmax::multiply(y, y), y), 6);
    y = softmax::shift_left(softmax::multiply(kHalfThree, y) - softmax::multiply(half, cube), 3);
  }
  constexpr int32_t kHalfRootTwo = 1518500250;  // sqrt(2) / 2 in 31 bits
  y = softmax::multiply(y, kHalfRootTwo);
  return shift < 0 ? requantize::Multiplier{y << -shift, 0} : requantize::Multiplier{y, -shift};
}

}  // namespace edge
