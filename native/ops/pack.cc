// PACK: tensors of one shape side by side along a new axis.
#include "ops/support/movement.h"
#include "ops/support/parts.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<PackAttributes>());
  const int count = op.attributes<PackAttributes>().values_count;
  if (count < 1) return invalid_model(format("it packs %d tensors", count));
  EDGE_TRY(op.expect_arity(static_cast<size_t>(count), static_cast<size_t>(count), 1));
  for (size_t i = 0; i < op.input_count(); ++i) {
    EDGE_TRY(expect_movable(op, i));
    EDGE_TRY(op.expect_input(i, {op.out(0).spec.dtype}));
    EDGE_TRY(expect_same_codes(op.in(i), op.out(0)));
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  for (size_t i = 1; i < op.input_count(); ++i) {
    if (op.in(i).spec.shape != x) {
      return invalid_model(format("its input %zu is %s, but input 0 is %s", i,
                                  to_string(op.in(i).spec.shape).c_str(), to_string(x).c_str()));
    }
  }
  EDGE_ASSIGN(const int axis,
              OpView::normalize_axis(op.attributes<PackAttributes>().axis, x.rank() + 1));
  for (int i = 0; i <= x.rank(); ++i) {
    if (i == axis) EDGE_TRY(append_extent(static_cast<int64_t>(op.input_count()), &(*shapes)[0]));
    if (i < x.rank()) EDGE_TRY(append_extent(x[i], &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& y = op.out(0).spec;
  EDGE_ASSIGN(const int axis,
              OpView::normalize_axis(op.attributes<PackAttributes>().axis, y.shape.rank()));
  const std::vector<int64_t> counts(op.input_count(), 1);
  const Parts parts = make_parts(y.shape, axis, counts, dtype_size(y.dtype));
  op.make_state<Copies>() = joining(parts);
  if (contiguous(parts)) op.pieces = {Pieces::kInputs, 0};
  return {};
}

void eval(const EvalContext& run) {
  const Copies& copies = run.state<Copies>();
  for (size_t i = 0; i < copies.size(); ++i) {
    copies[i].run(run.in<uint8_t>(i), run.out<uint8_t>(0), run.pool());
  }
}

}  // namespace

extern const OpDef op_pack{check, infer, prepare, eval};

}  // namespace edge
