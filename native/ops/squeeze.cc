// SQUEEZE: the same elements without axes of extent 1.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SqueezeAttributes>());
  return check_movement(op, 1, /*strings=*/true);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  const std::vector<int32_t>& named = op.attributes<SqueezeAttributes>().squeeze_dims;
  bool drop[kMaxRank] = {};
  for (int32_t a : named) {
    EDGE_ASSIGN(const int axis, OpView::normalize_axis(a, x.rank()));
    if (x[axis] != 1) {
      return invalid_model(format("axis %d of %s is not 1", axis, to_string(x).c_str()));
    }
    drop[axis] = true;
  }
  Shape& y = (*shapes)[0];
  for (int i = 0; i < x.rank(); ++i) {
    if (named.empty() ? x[i] != 1 : !drop[i]) y.push_back(x[i]);
  }
  return {};
}

}  // namespace

extern const OpDef op_squeeze{check,         infer, prepare_same_bytes, eval_same_bytes, nullptr,
                              /*alias=*/true};

}  // namespace edge
