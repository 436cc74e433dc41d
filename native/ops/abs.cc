// ABS: the absolute value.
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt32, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  Unary& state = op.make_state<Unary>();
  EDGE_TRY(prepare_unary(op, &state));
  if (!is_coded(state.type)) return {};
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  EDGE_ASSIGN(const auto multiplier, fixed_point(double{in.scale() / out.scale()}));
  auto code = [&](int32_t q) {
    return requantize::wrapping_add(rescale(std::abs(q - in.zero_point()), multiplier),
                                    out.zero_point());
  };
  fill_table(in.dtype, out.dtype, code, &state);
  return {};
}

void eval(const EvalContext& run) {
  const Unary& state = run.state<Unary>();
  if (state.type != DType::kInt32) {
    return eval_real(run, [](float x) { return std::fabs(x); });
  }
  // Unsigned, as the lowest integer has no positive counterpart: it stays as it is.
  map_unary<int32_t>(run, state.count, [](int32_t x) {
    const uint32_t u = static_cast<uint32_t>(x);
    return static_cast<int32_t>(x < 0 ? 0 - u : u);
  });
}

}  // namespace

extern const OpDef op_abs{check, infer_unary, prepare, eval};

}  // namespace edge
