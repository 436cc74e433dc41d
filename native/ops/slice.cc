// SLICE: y[i] = x[begin + i], size elements along each axis; a size of -1 reaches to the end.
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_movement(op, 3); }

struct Region {
  std::vector<int64_t> begin, size;
};

Result<Region> ranges(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  Region r;
  EDGE_ASSIGN(r.begin, op.constant_integers(1));
  EDGE_ASSIGN(r.size, op.constant_integers(2));
  if (r.begin.size() != static_cast<size_t>(x.rank()) || r.size.size() != r.begin.size()) {
    return invalid_model(
        format("%zu begins and %zu sizes for rank %d", r.begin.size(), r.size.size(), x.rank()));
  }
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t begin = r.begin[static_cast<size_t>(i)];
    int64_t& size = r.size[static_cast<size_t>(i)];
    if (begin < 0 || begin > x[i] || size < -1 || size > x[i] - begin) {
      return invalid_model(format("%lld elements from %lld on are not all inside of axis %d of %s",
                                  static_cast<long long>(size), static_cast<long long>(begin), i,
                                  to_string(x).c_str()));
    }
    if (size == -1) size = x[i] - begin;
  }
  return r;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Region r, ranges(op));
  for (int64_t size : r.size) (*shapes)[0].push_back(static_cast<int32_t>(size));
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const Region r, ranges(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  int64_t offset = 0;
  for (size_t i = 0; i < r.size.size(); ++i) {
    copy.add({r.size[i], from[i], to[i]});
    offset += r.begin[i] * from[i];
  }
  copy.set_offsets(offset, 0);
  op.make_state<StridedCopy>() = copy.simplified();
  return {};
}

}  // namespace

extern const OpDef op_slice{check, infer, prepare, eval_copy};

}  // namespace edge
