// DEPTH_TO_SPACE: y[n, h * b + i, w * b + j, c] = x[n, h, w, (i * b + j) * C + c], block size b and
// C channels of y.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<DepthToSpaceAttributes>());
  return check_movement(op, 1);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  const int64_t b = op.attributes<DepthToSpaceAttributes>().block_size;
  if (x.rank() != 4 || b < 1 || x[3] % (b * b) != 0) {
    return invalid_model(format("the channels of %s do not divide into blocks of %lld x %lld",
                                to_string(x).c_str(), static_cast<long long>(b),
                                static_cast<long long>(b)));
  }
  for (int64_t extent : {int64_t{x[0]}, x[1] * b, x[2] * b, x[3] / (b * b)}) {
    EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const int64_t b = op.attributes<DepthToSpaceAttributes>().block_size;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  const int64_t cell =
      y.shape[3] * static_cast<int64_t>(element);  // the channels of one pixel of y
  StridedCopy copy(element);
  copy.add({x.shape[0], from[0], to[0]});
  copy.add({x.shape[1], from[1], to[1] * b});
  copy.add({b, cell * b, to[1]});
  copy.add({x.shape[2], from[2], to[2] * b});
  copy.add({b, cell, to[2]});
  copy.add({y.shape[3], from[3], to[3]});
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_depth_to_space{check, infer, prepare, eval_copy};

}  // namespace edge
