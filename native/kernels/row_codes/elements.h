// One element at a time: the definition, and what lies behind the last whole vector. All static.
#pragma once

#include <math.h>
#include <string.h>

#include "kernels/row_codes/row_codes.h"

namespace edge::row_codes {

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

// What a code's value is without its offset lies in here.
static inline Extent range_of(const Codes& codes) {
  return {static_cast<float>(codes.low - codes.offset), static_cast<float>(127 - codes.offset)};
}

static inline int8_t rough_code(const Codes& codes, const Extent& range, float x) {
  const float v = smaller(larger(x * codes.inverse, range.low), range.high);
  return static_cast<int8_t>(static_cast<int32_t>(v + (v < 0.f ? -0.5f : 0.5f)) + codes.offset);
}

static inline int8_t exact_code(const Codes& codes, const Extent& range, float x) {
  const float v = roundf(smaller(larger(x * codes.inverse, range.low), range.high));
  return static_cast<int8_t>(static_cast<int32_t>(v) + codes.offset);
}

template <bool kInTurn, bool kOffset>
static inline float real_of(const DecodeArgs& a, uint32_t acc, size_t i) {
  if (kOffset) acc -= static_cast<uint32_t>(a.offset) * a.sums[i];
  const float product = static_cast<float>(static_cast<int32_t>(acc));
  const float scaled =
      kInTurn ? product * a.scale[i] * a.row_scale : product * (a.row_scale * a.scale[i]);
  return smaller(a.max, larger(a.min, scaled + a.bias[i]));  // in this order a NaN stays one
}

template <bool kInTurn, bool kOffset>
static inline void decode_one(const DecodeArgs& a, size_t i) {
  uint8_t* y = static_cast<uint8_t*>(a.y) + i * sizeof(float);
  uint32_t acc;
  memcpy(&acc, y, sizeof acc);
  const float real = real_of<kInTurn, kOffset>(a, acc, i);
  memcpy(y, &real, sizeof real);
}

}  // namespace edge::row_codes
