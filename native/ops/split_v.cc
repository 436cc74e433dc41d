// SPLIT_V: cuts the input into parts of given sizes along one axis; one of -1 takes what is left.
#include "ops/support/movement.h"
#include "ops/support/parts.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SplitVAttributes>());
  const int parts = op.attributes<SplitVAttributes>().num_splits;
  if (parts < 1) return invalid_model(format("it splits into %d parts", parts));
  EDGE_TRY(op.expect_arity(3, 3, static_cast<size_t>(parts)));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(2, {DType::kInt32}));
  for (size_t i = 0; i < op.output_count(); ++i) EDGE_TRY(op.expect_output_as_input(i));
  return {};
}

struct Cut {
  int axis = 0;
  std::vector<int64_t> counts;
};

Result<Cut> cut_of(const OpView& op) {
  Cut cut;
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(cut.counts, op.constant_integers(1));
  EDGE_ASSIGN(const std::vector<int64_t> given, op.constant_integers(2));
  if (given.size() != 1) return invalid_model(format("%zu axes, wanted 1", given.size()));
  EDGE_ASSIGN(cut.axis, OpView::normalize_axis(given[0], x.rank()));
  if (cut.counts.size() != op.output_count()) {
    return invalid_model(format("%zu sizes for %zu parts", cut.counts.size(), op.output_count()));
  }
  int64_t left = x[cut.axis];
  int64_t* rest = nullptr;
  for (int64_t& count : cut.counts) {
    if (count == -1 && !rest) {
      rest = &count;
    } else if (count < 0 || count > left) {
      return invalid_model(
          format("its sizes do not fit axis %d of %s", cut.axis, to_string(x).c_str()));
    } else {
      left -= count;
    }
  }
  if (rest) {
    *rest = left;
  } else if (left != 0) {
    return invalid_model(format("its sizes leave %lld of axis %d of %s over",
                                static_cast<long long>(left), cut.axis, to_string(x).c_str()));
  }
  return cut;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Cut cut, cut_of(op));
  for (size_t i = 0; i < cut.counts.size(); ++i) {
    (*shapes)[i] = op.in(0).spec.shape;
    (*shapes)[i][cut.axis] = static_cast<int32_t>(cut.counts[i]);
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const Cut cut, cut_of(op));
  const TensorSpec& x = op.in(0).spec;
  const Parts parts = make_parts(x.shape, cut.axis, cut.counts, dtype_size(x.dtype));
  op.make_state<Copies>() = splitting(parts);
  if (contiguous(parts)) op.pieces = {Pieces::kOutputs, 0};
  return {};
}

}  // namespace

extern const OpDef op_split_v{check, infer, prepare, eval_split<0>};

}  // namespace edge
