// TANH: the hyperbolic tangent.
#include "ops/support/sigmoid16.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16}));
  // As near as TFLite wants it, whose results are multiples of 1/32768 whatever the scale.
  const TensorSpec& out = op.out(0).spec;
  if (out.dtype == DType::kInt16 && std::fabs(out.scale() * 32768 - 1) > 6e-4f) {
    return invalid_model(format("its output's scale is %g, it must be 1/32768", out.scale()));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  if (op.in(0).spec.dtype == DType::kInt16) {
    Unary& state = op.make_state<Unary>();
    EDGE_TRY(prepare_unary(op, &state));
    const SigmoidInput input(op.in(0).spec.scale(), true);
    const auto points = sigmoid_points();
    auto code = [&](int32_t q) { return tanh16(input(q), points); };
    fill_table(DType::kInt16, DType::kInt16, code, &state);
    return {};
  }
  return prepare_real(op, [](double x) { return std::tanh(x); });
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return std::tanh(x); });
}

}  // namespace

extern const OpDef op_tanh{check, infer_unary, prepare, eval};

}  // namespace edge
