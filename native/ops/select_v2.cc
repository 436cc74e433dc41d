// SELECT_V2: a where the condition holds and b elsewhere, all three broadcast.
#include "ops/support/broadcast.h"
#include "ops/support/select.h"

namespace edge {
namespace {

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Shape ab, broadcast_shape(op.in(1).spec.shape, op.in(2).spec.shape));
  EDGE_ASSIGN((*shapes)[0], broadcast_shape(op.in(0).spec.shape, ab));
  return {};
}

Status prepare(PrepareContext& op) { return prepare_select(op, op.in(0).spec.shape); }

}  // namespace

extern const OpDef op_select_v2{check_select, infer, prepare, eval_select};

}  // namespace edge
