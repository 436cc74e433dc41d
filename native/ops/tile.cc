// TILE: the input repeated multiples[i] times along axis i.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_movement(op, 2, /*strings=*/true); }

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> multiples, op.constant_integers(1));
  if (multiples.size() != static_cast<size_t>(x.rank())) {
    return invalid_model(format("%zu multiples for rank %d", multiples.size(), x.rank()));
  }
  for (int i = 0; i < x.rank(); ++i) {
    int64_t extent;
    const int64_t times = multiples[static_cast<size_t>(i)];
    if (__builtin_mul_overflow(times, int64_t{x[i]}, &extent) || times < 0) {
      return invalid_model(format("it repeats an axis %lld times", static_cast<long long>(times)));
    }
    EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> multiples, op.constant_integers(1));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = moved_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  for (size_t i = 0; i < multiples.size(); ++i) {
    const int64_t extent = x.shape[static_cast<int>(i)];
    copy.add({multiples[i], 0, to[i] * extent});
    copy.add({extent, from[i], to[i]});
  }
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_tile{check, infer, prepare, eval_copy};

}  // namespace edge
