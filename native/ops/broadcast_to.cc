// BROADCAST_TO: the input as if its axes of extent 1, and those it lacks in front, were repeated.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_movement(op, 2); }

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> wanted, op.constant_integers(1));
  Shape& y = (*shapes)[0];
  for (int64_t extent : wanted) EDGE_TRY(append_extent(extent, &y));
  const int lacks = y.rank() - x.rank();
  bool fits = lacks >= 0;
  for (int i = 0; fits && i < x.rank(); ++i) fits = x[i] == 1 || x[i] == y[lacks + i];
  if (fits) return {};
  return invalid_model(
      format("%s cannot be broadcast to %s", to_string(x).c_str(), to_string(y).c_str()));
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  const int lacks = y.shape.rank() - x.shape.rank();
  for (int i = 0; i < y.shape.rank(); ++i) {
    const bool repeated = i < lacks || x.shape[i - lacks] == 1;
    const int64_t step = repeated ? 0 : from[static_cast<size_t>(i - lacks)];
    copy.add({y.shape[i], step, to[static_cast<size_t>(i)]});
  }
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_broadcast_to{check, infer, prepare, eval_copy};

}  // namespace edge
