#include <arm_neon.h>

#include "kernels/peak/peak.h"

namespace edge::peak {

// 16 products of int8: two in one int16 lane, then their sum into int32.
void peak_smlal_neon(size_t rounds) {
  int32x4_t sum[12] = {};
  int16x8_t product[12];
  const int8x16_t x = vdupq_n_s8(1);
  // Each step for all chains before the next one: cores that run in order would wait.
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("smull %0.8h, %1.8b, %1.8b" : "=w"(product[i]) : "w"(x));
    }
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("smlal2 %0.8h, %1.16b, %1.16b" : "+w"(product[i]) : "w"(x));
    }
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      __asm__ volatile("sadalp %0.4s, %1.8h" : "+w"(sum[i]) : "w"(product[i]));
    }
  }
}

void peak_fmla_neon(size_t rounds) {
  float32x4_t sum[16] = {};
  const float32x4_t x = vdupq_n_f32(0.5f);
  for (; rounds > 0; --rounds) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(sum[i]) : "w"(x));
    }
  }
}

}  // namespace edge::peak
