// GELU: x * P(X <= x) for X of the standard normal distribution, by erfc or by a formula with tanh.
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Unary {
  bool approximate = false;
};

// In float32 but for erfc and tanh: see fill_real_table().
float gelu(float x, bool approximate) {
  constexpr float kRootHalf = 0.70710678118654752440f;   // sqrt(1 / 2)
  constexpr float kRoot2ByPi = 0.79788456080286535588f;  // sqrt(2 / pi)
  if (approximate) {
    const float inner = kRoot2ByPi * (x + 0.044715f * x * x * x);
    return 0.5f * x * (1.f + static_cast<float>(std::tanh(static_cast<double>(inner))));
  }
  return 0.5f * x * static_cast<float>(std::erfc(static_cast<double>(x * -kRootHalf)));
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<GeluAttributes>());
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_unary(op, &state));
  state.approximate = op.attributes<GeluAttributes>().approximate;
  if (is_coded(state.type)) {
    fill_real_table(
        op.in(0).spec, op.out(0).spec, [&](float x) { return gelu(x, state.approximate); }, &state);
  }
  return {};
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  if (is_coded(state.type)) return eval_table(run, state);
  map_unary<float>(run, state.count, [&](float x) { return gelu(x, state.approximate); });
}

}  // namespace

extern const OpDef op_gelu{check, infer_unary, prepare, eval};

}  // namespace edge
