// The run-time error of integer division.
#pragma once

#include <algorithm>

#include "ops/op.h"

namespace edge {

// Whether none of the n divisors in input 1 is `zero`; otherwise the run ends with an error.
template <typename T>
bool check_divisors(const EvalContext& run, size_t n, T zero) {
  const T* b = run.in<T>(1);
  const size_t at = static_cast<size_t>(std::find(b, b + n, zero) - b);
  if (at == n) return true;
  run.fail(invalid_argument(format("division by 0: element %zu of its input 1", at)));
  return false;
}

}  // namespace edge
