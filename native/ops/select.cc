// SELECT: a where the condition holds and b elsewhere. The condition has the shape of a and b, or
// is one for all or one for each index of their first axis.
#include "ops/support/select.h"

namespace edge {
namespace {

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &condition = op.in(0).spec.shape, &a = op.in(1).spec.shape, &b = op.in(2).spec.shape;
  const bool fits = condition == a || condition.rank() == 0 ||
                    (condition.rank() == 1 && a.rank() > 0 && condition[0] == a[0]);
  if (!fits || a != b) {
    return invalid_model(format("a condition of shape %s for %s and %s",
                                to_string(condition).c_str(), to_string(a).c_str(),
                                to_string(b).c_str()));
  }
  (*shapes)[0] = a;
  return {};
}

Status prepare(PrepareContext& op) {
  Shape condition = op.in(0).spec.shape;
  if (condition.rank() == 1) {
    while (condition.rank() < op.in(1).spec.shape.rank()) condition.push_back(1);
  }
  return prepare_select(op, condition);
}

}  // namespace

extern const OpDef op_select{check_select, infer, prepare, eval_select};

}  // namespace edge
