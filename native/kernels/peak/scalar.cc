#include <cstdint>

#include "kernels/peak/peak.h"

namespace edge::peak {

void peak_mul_scalar(size_t rounds) {
  int32_t sum[8] = {}, x = 3;
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      __asm__ volatile("" : "+r"(x));  // otherwise the product is taken once
      sum[i] += x * x;
      __asm__ volatile("" : "+r"(sum[i]));
    }
  }
}

}  // namespace edge::peak
