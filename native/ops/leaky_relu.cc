// LEAKY_RELU: x where it is positive, alpha * x elsewhere.
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Unary {
  float alpha = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<LeakyReluAttributes>());
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_unary(op, &state));
  state.alpha = op.attributes<LeakyReluAttributes>().alpha;
  if (!is_coded(state.type)) return {};
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  // The sign of alpha goes to the value, as a multiplier has none.
  const int32_t sign = state.alpha < 0 ? -1 : 1;
  EDGE_ASSIGN(const auto plain, fixed_point(double{in.scale() / out.scale()}));
  EDGE_ASSIGN(const auto leaky,
              fixed_point(double{in.scale() * std::fabs(state.alpha) / out.scale()}));
  auto code = [&](int32_t q) {
    const int32_t x = q - in.zero_point();
    const int32_t y = x >= 0 ? rescale(x, plain) : rescale(sign * x, leaky);
    return requantize::wrapping_add(y, out.zero_point());
  };
  fill_table(in.dtype, out.dtype, code, &state);
  return {};
}

void eval(const EvalContext& run) {
  const float alpha = run.state<State>().alpha;
  eval_real(run, [alpha](float x) { return x > 0 ? x : x * alpha; });
}

}  // namespace

extern const OpDef op_leaky_relu{check, infer_unary, prepare, eval};

}  // namespace edge
