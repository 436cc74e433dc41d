// STABLEHLO_COMPARE: EQUAL, LESS ... as its options say.
#include "ops/support/comparison.h"

namespace edge {

namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloCompareAttributes>());
  const int32_t direction = op.attributes<StablehloCompareAttributes>().direction;
  if (direction < 0 || direction > 5) {
    return invalid_model(format("comparison %d is unknown", direction));
  }
  return direction < 2 ? check_equality(op) : check_order(op);
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<StablehloCompareAttributes>();
  return prepare_comparison(op, static_cast<Relation>(a.direction));
}

}  // namespace

extern const OpDef op_stablehlo_compare{check, infer_binary, prepare, eval_comparison};

}  // namespace edge
