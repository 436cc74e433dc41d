// LOGISTIC: 1 / (1 + exp(-x)).
#include "ops/support/sigmoid16.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16}));
  const TensorSpec& out = op.out(0).spec;
  if (is_8bit(out.dtype) && out.scale() != 1.f / 256) {
    return invalid_model(format("its output's scale is %g, it must be 1/256", out.scale()));
  }
  if (out.dtype == DType::kInt16 && out.scale() != 1.f / 32768) {
    return invalid_model(format("its output's scale is %g, it must be 1/32768", out.scale()));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  Unary& state = op.make_state<Unary>();
  EDGE_TRY(prepare_unary(op, &state));
  // The quotient in float32: TFLite's codes are those of its rounding.
  auto real = [](float x) { return 1.f / (1.f + static_cast<float>(std::exp(-double{x}))); };
  if (is_8bit(state.type)) {
    fill_real_table(op.in(0).spec, op.out(0).spec, real, &state);
  }
  if (state.type == DType::kInt16) {
    const SigmoidInput input(op.in(0).spec.scale(), false);
    const auto points = sigmoid_points();
    auto code = [&](int32_t q) { return logistic16(input(q), points); };
    fill_table(DType::kInt16, DType::kInt16, code, &state);
  }
  return {};
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return 1.f / (1.f + std::exp(-x)); });
}

}  // namespace

extern const OpDef op_logistic{check, infer_unary, prepare, eval};

}  // namespace edge
