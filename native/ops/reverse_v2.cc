// REVERSE_V2: the elements in reverse order along some axes.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_movement(op, 2); }

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = op.in(0).spec.shape;
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> axes, op.constant_integers(1));
  const TensorSpec& x = op.in(0).spec;
  bool reversed[kMaxRank] = {};
  for (int64_t a : axes) {
    EDGE_ASSIGN(const int axis, OpView::normalize_axis(a, x.shape.rank()));
    if (reversed[axis]) return invalid_model(format("it has axis %d twice", axis));
    reversed[axis] = true;
  }
  const size_t element = dtype_size(x.dtype);
  const auto strides = byte_strides(x.shape, element);
  StridedCopy copy(element);
  int64_t offset = 0;
  for (int i = 0; i < x.shape.rank(); ++i) {
    const int64_t stride = strides[static_cast<size_t>(i)];
    copy.add({x.shape[i], reversed[i] ? -stride : stride, stride});
    if (reversed[i]) offset += (x.shape[i] - 1) * stride;
  }
  copy.set_offsets(offset, 0);
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_reverse_v2{check, infer, prepare, eval_copy};

}  // namespace edge
