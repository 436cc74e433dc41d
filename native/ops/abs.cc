// ABS: the absolute value.
#include "ops/support/by_type.h"
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Unary {
  bool coded = false;
};

// Whole numbers: int32, and int16 without a scale.
bool plain(const OpView& op) {
  return op.in(0).spec.dtype == DType::kInt32 ||
         (op.in(0).spec.dtype == DType::kInt16 && op.in(0).spec.quant.scale.empty() &&
          op.out(0).spec.quant.scale.empty());
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  if (plain(op)) return op.expect_output_as_input();
  return check_unary(op, {DType::kFloat32, DType::kInt32, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_unary(op, &state));
  state.coded = is_coded(state.type) && !plain(op);
  if (!state.coded) return {};
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
  const State& state = run.state<State>();
  if (state.coded || state.type == DType::kFloat32) {
    return eval_real(run, [](float x) { return std::fabs(x); });
  }
  by_type<int16_t, int32_t>(state.type, [&](auto of) {
    using T = decltype(of);
    // Unsigned, as the lowest integer has no positive counterpart: it stays as it is.
    map_unary<T>(run, state.count, [](T x) {
      const uint32_t u = static_cast<uint32_t>(x);
      return static_cast<T>(x < 0 ? 0 - u : u);
    });
  });
}

}  // namespace

extern const OpDef op_abs{check, infer_unary, prepare, eval};

}  // namespace edge
