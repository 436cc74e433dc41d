// REDUCE_MAX and REDUCE_MIN: the largest or smallest element along the reduced axes, of codes as of
// numbers. Without elements it is the lowest or highest number of the type.
#pragma once

#include <limits>

#include "ops/support/movement.h"
#include "ops/support/reduce.h"

namespace edge {

struct ExtremumState {
  Reduction reduction;
  DType type = DType::kFloat32;
};

inline Status check_extremum(const OpView& op) {
  EDGE_TRY(check_reduce(op, {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kInt8,
                             DType::kUInt8, DType::kInt16, DType::kBool}));
  return expect_same_codes(op.in(0), op.out(0));
}

inline Status prepare_extremum(PrepareContext& op) {
  ExtremumState& s = op.make_state<ExtremumState>();
  EDGE_ASSIGN(s.reduction, make_reduction(op));
  s.type = op.in(0).spec.dtype;
  return {};
}

template <bool kMax>
struct Extremum {
  template <typename T>
  T operator()(T best, T x) const {
    return (kMax ? x > best : x < best) ? x : best;
  }
};

template <typename T, bool kMax>
void eval_extremum_of(const EvalContext& run, T first = kMax ? std::numeric_limits<T>::lowest()
                                                             : std::numeric_limits<T>::max()) {
  const Reduction& r = run.state<ExtremumState>().reduction;
  reduce(r, first, run.in<T>(0), run.out<T>(0), Extremum<kMax>());
}

template <bool kMax>
void eval_extremum(const EvalContext& run) {
  switch (run.state<ExtremumState>().type) {
    case DType::kFloat32:
      return eval_extremum_of<float, kMax>(run);
    case DType::kInt32:
      return eval_extremum_of<int32_t, kMax>(run);
    case DType::kInt64:
      return eval_extremum_of<int64_t, kMax>(run);
    case DType::kInt8:
      return eval_extremum_of<int8_t, kMax>(run);
    case DType::kInt16:
      return eval_extremum_of<int16_t, kMax>(run);
    case DType::kBool:
      // As bytes: a file may hold others than 0 and 1, which a C++ bool must not be.
      return eval_extremum_of<uint8_t, kMax>(run, kMax ? 0 : 1);
    default:
      return eval_extremum_of<uint8_t, kMax>(run);
  }
}

}  // namespace edge
