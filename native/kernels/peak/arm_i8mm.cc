#include <arm_neon.h>

#include "kernels/peak/peak.h"

namespace edge::peak {

void peak_smmla_i8mm(size_t rounds) {
  int32x4_t sum[16] = {};
  const int8x16_t x = vdupq_n_s8(1);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __asm__ volatile("smmla %0.4s, %1.16b, %1.16b" : "+w"(sum[i]) : "w"(x));
    }
  }
}

}  // namespace edge::peak
