// STABLEHLO_BROADCAST_IN_DIM: x repeated along the axes of the output that none of its own becomes,
// and where its own have one element. The file says the output's shape.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloBroadcastInDimAttributes>());
  return check_movement(op, 1);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &y = op.out(0).spec.shape;
  const auto& axes = op.attributes<StablehloBroadcastInDimAttributes>().dimensions;
  bool fits = axes.size() == static_cast<size_t>(x.rank());
  bool seen[kMaxRank] = {};
  for (size_t i = 0; fits && i < axes.size(); ++i) {
    fits = axes[i] >= 0 && axes[i] < y.rank() && !seen[axes[i]];
    if (!fits) break;
    seen[axes[i]] = true;
    const int32_t from = x[static_cast<int>(i)], to = y[static_cast<int>(axes[i])];
    fits = from == to || from == 1;
  }
  for (int32_t extent : y) fits = fits && extent >= 0;
  if (!fits) {
    return invalid_model(format("%s does not become %s along %zu axes", to_string(x).c_str(),
                                to_string(y).c_str(), axes.size()));
  }
  (*shapes)[0] = y;
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const auto& axes = op.attributes<StablehloBroadcastInDimAttributes>().dimensions;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  std::array<int64_t, kMaxRank> stride{};
  for (size_t i = 0; i < axes.size(); ++i) {
    if (x.shape[static_cast<int>(i)] != 1) stride[static_cast<size_t>(axes[i])] = from[i];
  }
  StridedCopy copy(element);
  for (int i = 0; i < y.shape.rank(); ++i) {
    copy.add({y.shape[i], stride[static_cast<size_t>(i)], to[static_cast<size_t>(i)]});
  }
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_stablehlo_broadcast_in_dim{check, infer, prepare, eval_copy};

}  // namespace edge
