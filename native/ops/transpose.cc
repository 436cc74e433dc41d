// TRANSPOSE: y[i_0, i_1, ...] = x[j_0, j_1, ...] where j_perm[k] = i_k. StableHLO's has perm among
// its options.
#include "ops/support/movement.h"

namespace edge {
namespace {

bool by_option(const OpView& op) { return op.node().opcode == opcode::kSTABLEHLO_TRANSPOSE; }

Status check(const OpView& op) {
  if (by_option(op)) EDGE_TRY(op.expect_attributes<StablehloTransposeAttributes>());
  return check_movement(op, by_option(op) ? 1 : 2);
}

Result<std::vector<int>> permutation(const OpView& op) {
  const int rank = op.in(0).spec.shape.rank();
  std::vector<int64_t> given = op.attributes<StablehloTransposeAttributes>().permutation;
  if (!by_option(op)) {
    EDGE_ASSIGN(given, op.constant_integers(1));
  }
  if (given.size() != static_cast<size_t>(rank)) {
    return invalid_model(format("a permutation of %zu axes for rank %d", given.size(), rank));
  }
  std::vector<int> axes;
  bool seen[kMaxRank] = {};
  for (int64_t a : given) {
    EDGE_ASSIGN(const int axis, OpView::normalize_axis(a, rank));
    if (seen[axis]) return invalid_model(format("its permutation has axis %d twice", axis));
    seen[axis] = true;
    axes.push_back(axis);
  }
  return axes;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int> axes, permutation(op));
  for (int axis : axes) (*shapes)[0].push_back(op.in(0).spec.shape[axis]);
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int> axes, permutation(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(axes[i]);
    copy.add({x.shape[axes[i]], from[axis], to[i]});
  }
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_transpose{check, infer, prepare, eval_copy};

}  // namespace edge
