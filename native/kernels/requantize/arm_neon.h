// DR of requantize.h on 4 values in a register; for NEON files of any family.
#pragma once

#include <arm_neon.h>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

struct DrNeon {
  int32x4_t left;  // max(e, 0)
  int32x4_t m;
  int32x4_t right;  // min(e, 0) = -s
};

static inline DrNeon make_dr_neon(int32x4_t m, int32x4_t e) {
  const int32x4_t zero = vdupq_n_s32(0);
  return {vmaxq_s32(e, zero), m, vminq_s32(e, zero)};
}

static inline DrNeon make_dr_neon(const Multiplier& multiplier) {
  return make_dr_neon(vdupq_n_s32(multiplier.m), vdupq_n_s32(multiplier.e));
}

static inline int32x4_t dr_neon(int32x4_t x, const DrNeon& dr) {
  // sqrdmulh is (x' * m + 2^30) >> 31: it can't saturate, since m >= 0. srshl by -s rounds half up;
  // taking 1 off negative numbers first, unless s = 0, makes that half away from zero.
  const int32x4_t y = vqrdmulhq_s32(vshlq_s32(x, dr.left), dr.m);
  return vrshlq_s32(vsraq_n_s32(y, vandq_s32(y, dr.right), 31), dr.right);
}

}  // namespace edge::requantize
