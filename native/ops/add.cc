// ADD: a + b, broadcast, with a fused activation.
#include "ops/support/add_sub.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<AddAttributes>());
  return check_add_sub(op, op.attributes<AddAttributes>().pot_scale_int16);
}

Status prepare(PrepareContext& op) {
  return prepare_add_sub(op, 1, op.attributes<AddAttributes>().activation,
                         op.attributes<AddAttributes>().pot_scale_int16);
}

void eval(const EvalContext& run) {
  eval_arithmetic(run, [](auto a, auto b) { return a + b; });
}

}  // namespace

extern const OpDef op_add{check,           infer_binary,         prepare,          eval, nullptr,
                          /*alias=*/false, /*shape_only=*/false, /*in_place=*/true};

}  // namespace edge
