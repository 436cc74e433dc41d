// DEQUANTIZE: codes of 8 or 16 bits, with one scale or one a channel, or floats of 16 bits, to
// float32.
#include "ops/support/convert.h"
#include "ops/support/half.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Conversion {
  bool ieee = false;  // of floats: which ones
};

template <typename T>
void widen(const EvalContext& run, size_t count) {
  const T* x = run.in<T>(0);
  float* y = run.out<float>(0);
  for_chunks(run.pool(), count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) y[i] = to_float(x[i]);
  });
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat16, DType::kBFloat16}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return is_half_type(op.in(0).spec.dtype) ? Status() : check_codes(op.in(0).spec);
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  if (is_half_type(op.in(0).spec.dtype)) {
    state.ieee = op.in(0).spec.dtype == DType::kFloat16;
    state.inner = static_cast<size_t>(op.in(0).spec.shape.count());
    return {};
  }
  using elementwise::Convert;
  state.in_size = dtype_size(op.in(0).spec.dtype);
  return prepare_conversion(
      op, op.in(0).spec, {Convert::kDequantizeI8, Convert::kDequantizeU8, Convert::kDequantizeI16},
      &state);
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  if (state.kernel) return eval_conversion(run, state);
  return state.ieee ? widen<Half>(run, state.inner) : widen<BFloat16>(run, state.inner);
}

}  // namespace

extern const OpDef op_dequantize{check, infer_unary, prepare, eval};

}  // namespace edge
