// EXPAND_DIMS: the same elements with an axis of extent 1 put in.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_movement(op, 2, /*strings=*/true));
  return expect_same_codes(op.in(0), op.out(0));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> given, op.constant_integers(1));
  if (given.size() != 1) return invalid_model(format("%zu axes, wanted 1", given.size()));
  EDGE_ASSIGN(const int axis, OpView::normalize_axis(given[0], x.rank() + 1));
  Shape& y = (*shapes)[0];
  for (int i = 0; i <= x.rank(); ++i) {
    if (i == axis) EDGE_TRY(append_extent(1, &y));
    if (i < x.rank()) EDGE_TRY(append_extent(x[i], &y));
  }
  return {};
}

}  // namespace

extern const OpDef op_expand_dims{check,           infer,   prepare_same_bytes,
                                  eval_same_bytes, nullptr,
                                  /*alias=*/true};

}  // namespace edge
