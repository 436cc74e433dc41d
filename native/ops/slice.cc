// SLICE: y[i] = x[begin + i * stride], size elements along each axis; a size of -1 reaches to the
// end. StableHLO's has begin, end and stride among its options, the other one no stride but 1.
#include "ops/support/movement.h"

namespace edge {
namespace {

bool by_option(const OpView& op) { return op.node().opcode == opcode::kSTABLEHLO_SLICE; }

Status check(const OpView& op) {
  if (by_option(op)) EDGE_TRY(op.expect_attributes<StablehloSliceAttributes>());
  return check_movement(op, by_option(op) ? 1 : 3, /*strings=*/!by_option(op));
}

struct Region {
  std::vector<int64_t> begin, size, stride;
};

Result<Region> optional_ranges(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const auto& a = op.attributes<StablehloSliceAttributes>();
  Region r{a.start, {}, a.strides};
  const size_t rank = static_cast<size_t>(x.rank());
  if (a.start.size() != rank || a.limit.size() != rank || a.strides.size() != rank) {
    return invalid_model(format("%zu begins for rank %zu", a.start.size(), rank));
  }
  for (size_t i = 0; i < rank; ++i) {
    const int64_t begin = a.start[i], end = a.limit[i], stride = a.strides[i];
    if (begin < 0 || end < begin || end > x[static_cast<int>(i)] || stride < 1) {
      return invalid_model(format("elements %lld to %lld, each %lld-th, of axis %zu of %s",
                                  static_cast<long long>(begin), static_cast<long long>(end),
                                  static_cast<long long>(stride), i, to_string(x).c_str()));
    }
    r.size.push_back(end > begin ? (end - begin - 1) / stride + 1 : 0);
    // That of a single element does not matter.
    if (r.size[i] < 2) r.stride[i] = 1;
  }
  return r;
}

Result<Region> ranges(const OpView& op) {
  if (by_option(op)) return optional_ranges(op);
  const Shape& x = op.in(0).spec.shape;
  Region r;
  EDGE_ASSIGN(r.begin, op.constant_integers(1));
  EDGE_ASSIGN(r.size, op.constant_integers(2));
  if (r.begin.size() != static_cast<size_t>(x.rank()) || r.size.size() != r.begin.size()) {
    return invalid_model(
        format("%zu begins and %zu sizes for rank %d", r.begin.size(), r.size.size(), x.rank()));
  }
  r.stride.assign(r.begin.size(), 1);
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
  const size_t element = moved_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  int64_t offset = 0;
  for (size_t i = 0; i < r.size.size(); ++i) {
    copy.add({r.size[i], from[i] * r.stride[i], to[i]});
    offset += r.begin[i] * from[i];
  }
  copy.set_offsets(offset, 0);
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_slice{check, infer, prepare, eval_copy};

}  // namespace edge
