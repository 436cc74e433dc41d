// NEG: -x. The lowest integer has no negative: it stays as it is. Codes of int8 are negated as they
// are, whatever their zero point is.
#include "ops/support/unary.h"

namespace edge {
namespace {

template <typename T>
void negate(const EvalContext& run, size_t count) {
  map_unary<T>(run, count, [](T x) { return static_cast<T>(0 - static_cast<uint64_t>(x)); });
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kInt8, DType::kInt16}));
  return op.expect_output_as_input();
}

Status prepare(PrepareContext& op) {
  Unary& state = op.make_state<Unary>();
  state.type = op.in(0).spec.dtype;
  state.count = static_cast<size_t>(op.in(0).spec.shape.count());
  return {};
}

void eval(const EvalContext& run) {
  const Unary& state = run.state<Unary>();
  switch (state.type) {
    case DType::kInt32:
      return negate<int32_t>(run, state.count);
    case DType::kInt64:
      return negate<int64_t>(run, state.count);
    case DType::kInt8:
      return negate<int8_t>(run, state.count);
    case DType::kInt16:
      return negate<int16_t>(run, state.count);
    default:
      return map_unary<float>(run, state.count, [](float x) { return -x; });
  }
}

}  // namespace

extern const OpDef op_neg{check, infer_unary, prepare, eval};

}  // namespace edge
