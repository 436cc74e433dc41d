// STABLEHLO_COMPARE: whether a = b, a < b ... as its options say, of tensors of one shape.
#include <functional>

#include "ops/support/comparison.h"

namespace edge {
namespace {

using Eval = void (*)(const EvalContext& run);

// By the format's numbers.
constexpr Eval kEvals[] = {
    eval_comparison<std::equal_to<>>,      eval_comparison<std::not_equal_to<>>,
    eval_comparison<std::greater_equal<>>, eval_comparison<std::greater<>>,
    eval_comparison<std::less_equal<>>,    eval_comparison<std::less<>>};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloCompareAttributes>());
  const int32_t direction = op.attributes<StablehloCompareAttributes>().direction;
  if (direction < 0 || direction > 5) {
    return invalid_model(format("comparison %d is unknown", direction));
  }
  return direction < 2 ? check_equality(op) : check_order(op);
}

Status prepare(PrepareContext& op) {
  Comparison& state = op.make_state<Comparison>();
  state.eval = kEvals[op.attributes<StablehloCompareAttributes>().direction];
  return prepare_comparison(op, &state);
}

void eval(const EvalContext& run) { run.state<Comparison>().eval(run); }

}  // namespace

extern const OpDef op_stablehlo_compare{check, infer_binary, prepare, eval};

}  // namespace edge
