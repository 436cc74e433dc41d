// BITCAST: the same bytes as elements of another type. Where the sizes differ, the last axis holds
// the parts of one larger element.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(expect_movable(op, 0));
  const size_t from = dtype_size(op.in(0).spec.dtype), to = dtype_size(op.out(0).spec.dtype);
  if (to == 0) return unsupported(format("%s tensors", dtype_name(op.out(0).spec.dtype)));
  if (from % to == 0 || to % from == 0) return {};
  return invalid_model("its elements do not divide into those of its output");
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  Shape& y = (*shapes)[0];
  const size_t from = dtype_size(op.in(0).spec.dtype), to = dtype_size(op.out(0).spec.dtype);
  if (from >= to) {
    y = x;
    return from == to ? Status() : append_extent(static_cast<int64_t>(from / to), &y);
  }
  const int last = x.rank() - 1;
  if (last < 0 || static_cast<size_t>(x[last]) != to / from) {
    return invalid_model(format("the last axis of %s is not one %s", to_string(x).c_str(),
                                dtype_name(op.out(0).spec.dtype)));
  }
  for (int i = 0; i < last; ++i) y.push_back(x[i]);
  return {};
}

}  // namespace

extern const OpDef op_bitcast{check, infer, prepare_same_bytes, eval_same_bytes, nullptr, true};

}  // namespace edge
