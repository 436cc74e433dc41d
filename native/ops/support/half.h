// Floats of 16 bits: IEEE's binary16, and bfloat16, which is the upper half of a float32.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "graph/types.h"

namespace edge {

inline bool is_half_type(DType type) { return type == DType::kFloat16 || type == DType::kBFloat16; }

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
template <typename T>
constexpr bool is_half = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

inline float to_float(BFloat16 x) { return float_of(static_cast<uint32_t>(x.bits) << 16); }
inline float to_float(Half x) {
  const uint32_t magnitude = x.bits & 0x7fffu;
  // Below 2^-14 they are multiples of 2^-24. Others have another exponent bias, but for infinity
  // and NaN, whose exponent is all ones in both.
  const float value =
      magnitude < 0x0400
          ? static_cast<float>(magnitude) * 0x1p-24f
          : float_of((magnitude << 13) + (magnitude >= 0x7c00 ? 0x70000000u : 0x38000000u));
  return float_of(bits_of(value) | static_cast<uint32_t>(x.bits & 0x8000u) << 16);
}

// The nearest one, of two the one whose last bit is 0; a NaN is the type's usual one.
template <typename T>
T to_half(float x) {
  const uint32_t bits = bits_of(x), magnitude = bits & 0x7fffffffu;
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  // The bits of `m` above the lowest `drop`, rounded; a carry goes on into the exponent.
  const auto rounded = [](uint32_t m, int drop) {
    return (m + (1u << (drop - 1)) - 1 + (m >> drop & 1)) >> drop;
  };
  uint32_t out;
  if constexpr (std::is_same_v<T, BFloat16>) {
    out = magnitude > 0x7f800000u ? 0x7fc0u : rounded(magnitude, 16);
  } else if (magnitude > 0x7f800000u) {
    out = 0x7e00u;
  } else if (magnitude >= 0x47800000u) {  // 2^16 and more
    out = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // a multiple of 2^-24: the sum's last bits are those
    out = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  } else {
    out = rounded(magnitude - 0x38000000u, 13);
  }
  return {static_cast<uint16_t>(sign | out)};
}

}  // namespace edge
