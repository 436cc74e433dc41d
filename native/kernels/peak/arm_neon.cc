#include "kernels/arm_neon.h"

#include "kernels/peak/peak.h"

namespace edge::peak {

// As many independent sums as the registers hold; 32-bit ARM does a round in two halves.
constexpr int kChains = neon::kRegisters * 3 / 8;

// 16 products of int8: two in one int16 lane, then their sum into int32.
void peak_smlal_neon(size_t rounds) {
  int32x4_t sum[kChains] = {};
  int16x8_t product[kChains];
  const int8x16_t x = vdupq_n_s8(1);
  // Each step for all chains before the next one: cores that run in order would wait.
  for (rounds *= 12 / kChains; rounds > 0; --rounds) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) neon::multiply_low(product[i], x, x);
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) neon::add_high(product[i], x, x);
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) neon::add_pairs(sum[i], product[i]);
  }
}

void peak_fmla_neon(size_t rounds) {
  constexpr int kSums = neon::kRegisters / 2;
  float32x4_t sum[kSums] = {};
  const float32x4_t x = vdupq_n_f32(0.5f);
  for (rounds *= 16 / kSums; rounds > 0; --rounds) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) neon::add_product(sum[i], x);
  }
}

}  // namespace edge::peak
