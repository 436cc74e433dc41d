// What graphs that combine two elements do.
#pragma once

#include "graph/graph.h"
#include "ops/support/by_type.h"

namespace edge {

struct Sum {
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_sum(a, b);
  }
};
struct Product {
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_product(a, b);
  }
};
struct Larger {
  template <typename T>
  T operator()(T a, T b) const {
    return a >= b ? a : b;
  }
};
struct Smaller {
  template <typename T>
  T operator()(T a, T b) const {
    return a <= b ? a : b;
  }
};
struct Both {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a != T{0} && b != T{0});
  }
};
struct Either {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a != T{0} || b != T{0});
  }
};
struct Second {
  template <typename T>
  T operator()(T, T b) const {
    return b;
  }
};

// f(F()) for the F that `body` is; false where it is none of these.
template <typename Function>
bool by_body(int body, const Function& f) {
  switch (body) {
    case opcode::kADD:
    case opcode::kSTABLEHLO_ADD:
      f(Sum());
      return true;
    case opcode::kMUL:
    case opcode::kSTABLEHLO_MULTIPLY:
      f(Product());
      return true;
    case opcode::kMAXIMUM:
    case opcode::kSTABLEHLO_MAXIMUM:
      f(Larger());
      return true;
    case opcode::kMINIMUM:
    case opcode::kSTABLEHLO_MINIMUM:
      f(Smaller());
      return true;
    case opcode::kLOGICAL_AND:
    case opcode::kSTABLEHLO_AND:
      f(Both());
      return true;
    case opcode::kLOGICAL_OR:
    case opcode::kSTABLEHLO_OR:
      f(Either());
      return true;
    case kSecondOfTwo:
      f(Second());
      return true;
    default:
      return false;
  }
}

}  // namespace edge
