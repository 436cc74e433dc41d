// SPACE_TO_DEPTH: y[n, h, w, (i * b + j) * C + c] = x[n, h * b + i, w * b + j, c], block size b and
// C channels of x.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SpaceToDepthAttributes>());
  return check_movement(op, 1);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  const int64_t b = op.attributes<SpaceToDepthAttributes>().block_size;
  int64_t channels;
  if (x.rank() != 4 || b < 1 || x[1] % b != 0 || x[2] % b != 0 ||
      __builtin_mul_overflow(x[3] * b, b, &channels)) {
    return invalid_model(format("height and width of %s do not divide into blocks of %lld",
                                to_string(x).c_str(), static_cast<long long>(b)));
  }
  for (int64_t extent : {int64_t{x[0]}, x[1] / b, x[2] / b, channels}) {
    EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const int64_t b = op.attributes<SpaceToDepthAttributes>().block_size;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  const int64_t cell =
      x.shape[3] * static_cast<int64_t>(element);  // the channels of one pixel of x
  StridedCopy copy(element);
  copy.add({y.shape[0], from[0], to[0]});
  copy.add({y.shape[1], from[1] * b, to[1]});
  copy.add({b, from[1], cell * b});
  copy.add({y.shape[2], from[2] * b, to[2]});
  copy.add({b, from[2], cell});
  copy.add({x.shape[3], from[3], to[3]});
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_space_to_depth{check, infer, prepare, eval_copy};

}  // namespace edge
