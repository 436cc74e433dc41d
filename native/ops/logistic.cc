// LOGISTIC: 1 / (1 + exp(-x)).
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  const TensorSpec& out = op.out(0).spec;
  if (is_8bit(out.dtype) && out.scale() != 1.f / 256) {
    return invalid_model(format("its output's scale is %g, it must be 1/256", out.scale()));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  Unary& state = op.make_state<Unary>();
  EDGE_TRY(prepare_unary(op, &state));
  // The quotient in float32: TFLite's codes are those of its rounding.
  auto real = [](float x) { return 1.f / (1.f + static_cast<float>(std::exp(-double{x}))); };
  if (is_8bit(state.type)) {
    fill_real_table(op.in(0).spec, op.out(0).spec, real, &state.table);
  }
  return {};
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return 1.f / (1.f + std::exp(-x)); });
}

}  // namespace

extern const OpDef op_logistic{check, infer_unary, prepare, eval};

}  // namespace edge
