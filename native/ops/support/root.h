// SQRT and RSQRT: on codes, the run fails where one stands for a negative number.
#pragma once

#include "ops/support/unary.h"

namespace edge {

struct Root : Unary {
  int32_t zero = 0;  // the input's zero point
};

inline Status check_root(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kInt16});
}

// f(q - zero point), for q at or above it, is the output code.
template <typename F>
Status prepare_root(PrepareContext& op, const F& f) {
  Root& state = op.make_state<Root>();
  EDGE_TRY(prepare_unary(op, &state));
  state.zero = op.in(0).spec.zero_point();
  if (!is_coded(state.type)) return {};
  auto code = [&](int32_t q) { return f(std::max(q - state.zero, 0)); };
  fill_table(state.type, state.type, code, &state);
  return {};
}

template <typename T>
bool all_positive(const EvalContext& run, const Root& state) {
  const T* x = run.in<T>(0);
  auto negative = [&](T q) { return q < state.zero; };
  const size_t at = static_cast<size_t>(std::find_if(x, x + state.count, negative) - x);
  if (at == state.count) return true;
  run.fail(invalid_argument(format("root of a negative number: element %zu", at)));
  return false;
}

template <typename F>
void eval_root(const EvalContext& run, const F& f) {
  const Root& state = run.state<Root>();
  if (state.type == DType::kInt8 && !all_positive<int8_t>(run, state)) return;
  if (state.type == DType::kInt16 && !all_positive<int16_t>(run, state)) return;
  eval_real(run, f);
}

}  // namespace edge
