// Code for the C++ type that a tensor's elements have.
#pragma once

#include <cstdint>
#include <type_traits>

#include "graph/types.h"

namespace edge {

// A bool is a byte: a file may hold others than 0 and 1, which a C++ bool must not be.
template <typename T>
constexpr bool holds(DType type) {
  if constexpr (std::is_same_v<T, float>) return type == DType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return type == DType::kFloat64;
  if constexpr (std::is_same_v<T, int8_t>) return type == DType::kInt8;
  if constexpr (std::is_same_v<T, uint8_t>) return type == DType::kUInt8 || type == DType::kBool;
  if constexpr (std::is_same_v<T, int16_t>) return type == DType::kInt16;
  if constexpr (std::is_same_v<T, uint16_t>) return type == DType::kUInt16;
  if constexpr (std::is_same_v<T, int32_t>) return type == DType::kInt32;
  if constexpr (std::is_same_v<T, uint32_t>) return type == DType::kUInt32;
  if constexpr (std::is_same_v<T, int64_t>) return type == DType::kInt64;
  return false;
}

// f(T()) for that T of Types which elements of `type` are; check() has let no other type through.
template <typename... Types, typename F>
void by_type(DType type, const F& f) {
  (void)((holds<Types>(type) && (f(Types()), true)) || ...);
}

// f(T()) for the unsigned T of as many bytes, where elements are only moved.
template <typename F>
void by_size(size_t bytes, const F& f) {
  switch (bytes) {
    case 1:
      return f(uint8_t());
    case 2:
      return f(uint16_t());
    case 4:
      return f(uint32_t());
    default:
      return f(uint64_t());
  }
}

// Sums and products of integers wrap around, as those of the reference do.
template <typename T>
T wrapping_sum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
}
template <typename T>
T wrapping_product(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a * b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
}

}  // namespace edge
