// PADV2: a border of a given value around the input.
#include "ops/support/movement.h"
#include "ops/support/pad.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_pad(op, 3));
  EDGE_TRY(op.expect_input(2, {op.in(0).spec.dtype}));
  return expect_same_codes(op.in(2), op.out(0));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (op.in(2).spec.shape.count() != 1)
    return invalid_model("its border's value is not one element");
  return infer_pad(op, shapes);
}

}  // namespace

extern const OpDef op_padv2{check, infer, prepare_pad, eval_pad};

}  // namespace edge
