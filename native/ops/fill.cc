// FILL: a tensor of the shape in input 0 whose elements all are the scalar of input 1.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(expect_movable(op, 1, /*strings=*/true));
  EDGE_TRY(op.expect_output(0, {op.in(1).spec.dtype}));
  return expect_same_codes(op.in(1), op.out(0));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (op.in(1).spec.shape.count() != 1) return invalid_model("its value is not a scalar");
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(0));
  for (int64_t extent : extents) EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& y = op.out(0).spec;
  const int64_t element = static_cast<int64_t>(moved_size(y.dtype));
  StridedCopy copy(static_cast<size_t>(element));
  copy.add({y.shape.count(), 0, element});
  return prepare_copy(op, copy, 1);
}

}  // namespace

extern const OpDef op_fill{check, infer, prepare, eval_copy};

}  // namespace edge
