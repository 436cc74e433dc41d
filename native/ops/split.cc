// SPLIT: cuts the input into equal parts along one axis.
#include "ops/support/movement.h"
#include "ops/support/parts.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SplitAttributes>());
  const int parts = op.attributes<SplitAttributes>().num_splits;
  if (parts < 1) return invalid_model(format("it splits into %d parts", parts));
  EDGE_TRY(op.expect_arity(2, 2, static_cast<size_t>(parts)));
  EDGE_TRY(op.expect_input(0, {DType::kInt32}));
  EDGE_TRY(expect_movable(op, 1));
  for (size_t i = 0; i < op.output_count(); ++i) {
    EDGE_TRY(op.expect_output(i, {op.in(1).spec.dtype}));
  }
  return {};
}

Result<int> axis_of(const OpView& op) {
  EDGE_ASSIGN(const std::vector<int64_t> given, op.constant_integers(0));
  if (given.size() != 1) return invalid_model(format("%zu axes, wanted 1", given.size()));
  return OpView::normalize_axis(given[0], op.in(1).spec.shape.rank());
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const int axis, axis_of(op));
  const int parts = static_cast<int>(op.output_count());
  Shape y = op.in(1).spec.shape;
  if (y[axis] % parts != 0) {
    return invalid_model(
        format("axis %d of %s does not split into %d parts", axis, to_string(y).c_str(), parts));
  }
  y[axis] /= parts;
  shapes->assign(op.output_count(), y);
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const int axis, axis_of(op));
  const TensorSpec& x = op.in(1).spec;
  const std::vector<int64_t> counts(op.output_count(), op.out(0).spec.shape[axis]);
  const Parts parts = make_parts(x.shape, axis, counts, dtype_size(x.dtype));
  op.make_state<Copies>() = splitting(parts);
  if (contiguous(parts)) op.pieces = {Pieces::kOutputs, 1};
  return {};
}

}  // namespace

extern const OpDef op_split{check, infer, prepare, eval_split<1>};

}  // namespace edge
