// UNPACK: one output for each index of an axis, which the outputs do not have.
#include "ops/support/movement.h"
#include "ops/support/parts.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<UnpackAttributes>());
  const int count = op.attributes<UnpackAttributes>().num;
  if (count < 1) return invalid_model(format("it unpacks %d tensors", count));
  EDGE_TRY(op.expect_arity(1, 1, static_cast<size_t>(count)));
  EDGE_TRY(expect_movable(op, 0));
  for (size_t i = 0; i < op.output_count(); ++i) {
    EDGE_TRY(op.expect_output_as_input(i));
    EDGE_TRY(expect_same_codes(op.in(0), op.out(i)));
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const int axis,
              OpView::normalize_axis(op.attributes<UnpackAttributes>().axis, x.rank()));
  if (static_cast<size_t>(x[axis]) != op.output_count()) {
    return invalid_model(format("axis %d of %s does not unpack into %zu", axis,
                                to_string(x).c_str(), op.output_count()));
  }
  Shape y;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) y.push_back(x[i]);
  }
  shapes->assign(op.output_count(), y);
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  EDGE_ASSIGN(const int axis,
              OpView::normalize_axis(op.attributes<UnpackAttributes>().axis, x.shape.rank()));
  const std::vector<int64_t> counts(op.output_count(), 1);
  const Parts parts = make_parts(x.shape, axis, counts, dtype_size(x.dtype));
  op.make_state<Copies>() = splitting(parts);
  if (contiguous(parts)) op.pieces = {Pieces::kOutputs, 0};
  return {};
}

}  // namespace

extern const OpDef op_unpack{check, infer, prepare, eval_split<0>};

}  // namespace edge
