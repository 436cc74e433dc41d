#include "ops/support/rectifier.h"

#include <limits>

#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Unary {
  FloatRange range{};
};

}  // namespace

Status check_rectifier(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16});
}

Status prepare_rectifier(PrepareContext& op, Activation activation) {
  EDGE_ASSIGN(FloatRange range, activation_range(activation));
  // Unlike a fused RELU, which cuts at the largest float, the op leaves infinity as it is.
  if (activation == Activation::kRelu) range.high = std::numeric_limits<float>::infinity();
  Range codes;
  if (is_coded(op.out(0).spec.dtype)) {
    EDGE_ASSIGN(codes, activation_range(activation, op.out(0).spec));
  }
  return prepare_rectifier(op, range, codes);
}

Status prepare_rectifier(PrepareContext& op, FloatRange range, Range codes) {
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_unary(op, &state));
  state.range = range;
  if (!is_coded(state.type)) return {};
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  EDGE_ASSIGN(const auto multiplier, fixed_point(in.scale() / out.scale()));
  auto code = [&](int32_t q) {
    const int32_t v = rescale(q - in.zero_point(), multiplier);
    return std::min(std::max(requantize::wrapping_add(v, out.zero_point()), codes.low), codes.high);
  };
  fill_table(in.dtype, out.dtype, code, &state);
  return {};
}

void eval_rectifier(const EvalContext& run) {
  const State& state = run.state<State>();
  if (is_coded(state.type)) return eval_table(run, state);
  const float low = state.range.low, high = state.range.high;
  map_unary<float>(run, state.count, [=](float x) { return x < low ? low : x > high ? high : x; });
}

}  // namespace edge
