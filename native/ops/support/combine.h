// What graphs that combine two elements do.
#pragma once

#include "graph/graph.h"
#include "ops/support/by_type.h"

namespace edge {

enum class Combine { kUnknown, kSecond, kSum, kProduct, kLarger, kSmaller, kBoth, kEither };

inline Combine combine_of(int body) {
  switch (body) {
    case kSecondOfTwo:
      return Combine::kSecond;
    case opcode::kADD:
    case opcode::kSTABLEHLO_ADD:
      return Combine::kSum;
    case opcode::kMUL:
    case opcode::kSTABLEHLO_MULTIPLY:
      return Combine::kProduct;
    case opcode::kMAXIMUM:
    case opcode::kSTABLEHLO_MAXIMUM:
      return Combine::kLarger;
    case opcode::kMINIMUM:
    case opcode::kSTABLEHLO_MINIMUM:
      return Combine::kSmaller;
    case opcode::kLOGICAL_AND:
    case opcode::kSTABLEHLO_AND:
      return Combine::kBoth;
    case opcode::kLOGICAL_OR:
    case opcode::kSTABLEHLO_OR:
      return Combine::kEither;
    default:
      return Combine::kUnknown;
  }
}

template <typename T>
T combine(Combine how, T a, T b) {
  switch (how) {
    case Combine::kSum:
      return wrapping_sum(a, b);
    case Combine::kProduct:
      return wrapping_product(a, b);
    case Combine::kLarger:
      return a >= b ? a : b;
    case Combine::kSmaller:
      return a <= b ? a : b;
    case Combine::kBoth:
      return static_cast<T>(a != T{0} && b != T{0});
    case Combine::kEither:
      return static_cast<T>(a != T{0} || b != T{0});
    default:
      return b;
  }
}

}  // namespace edge
