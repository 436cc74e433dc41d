// STABLEHLO_COMPARE: EQUAL, LESS ... as its options say.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_equal, op_not_equal, op_greater_equal, op_greater, op_less_equal, op_less;

namespace {

// By the format's numbers.
constexpr const OpDef* kOps[] = {&op_equal,   &op_not_equal,  &op_greater_equal,
                                 &op_greater, &op_less_equal, &op_less};

const OpDef& op_of(const OpView& op) {
  return *kOps[op.attributes<StablehloCompareAttributes>().direction];
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloCompareAttributes>());
  const int32_t direction = op.attributes<StablehloCompareAttributes>().direction;
  if (direction < 0 || direction > 5) {
    return invalid_model(format("comparison %d is unknown", direction));
  }
  return op_of(op).check(op);
}

Status prepare(PrepareContext& op) {
  Comparison& state = op.make_state<Comparison>();
  state.eval = op_of(op).eval;
  return prepare_comparison(op, &state);
}

void eval(const EvalContext& run) { run.state<Comparison>().eval(run); }

}  // namespace

extern const OpDef op_stablehlo_compare{check, infer_binary, prepare, eval};

}  // namespace edge
