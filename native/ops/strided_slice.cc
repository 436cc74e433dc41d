// STRIDED_SLICE: numpy's x[begin:end:stride, ..., newaxis, index] with TensorFlow's masks, in which
// bit i speaks of the i-th begin, end and stride:
//   begin_mask, end_mask  the slice reaches to that end of the axis
//   ellipsis_mask         stands for as many whole axes as are not named otherwise
//   new_axis_mask         an axis of extent 1 in the output only
//   shrink_axis_mask      one element, whose axis the output does not have
// With `offset`, `end` counts from `begin`.
#include "ops/support/movement.h"

namespace edge {
namespace {

constexpr size_t kMaxSpecs = 31;  // as many as a mask has bits for

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StridedSliceAttributes>());
  EDGE_TRY(check_movement(op, 4, /*strings=*/true));
  for (size_t i = 1; i < 4; ++i) EDGE_TRY(op.expect_input(i, {DType::kInt32}));
  return {};
}

// What the output takes of one axis of the input.
struct Part {
  int64_t start = 0, count = 1, stride = 1;
  bool in_input = true, in_output = true;
};

// The first element's index and how many there are, of an axis of `extent` elements.
Result<Part> resolve(const StridedSliceAttributes& a, size_t i, int64_t begin, int64_t end,
                     int64_t stride, int64_t extent) {
  if (stride == 0) return invalid_model(format("stride %zu is 0", i));
  const auto bit = [i](int32_t mask) { return (mask >> i & 1) != 0; };
  const bool up = stride > 0;
  // Where a walk along the axis may start and where it stops at the latest.
  const int64_t lowest = up ? 0 : -1, highest = up ? extent : extent - 1;
  const auto clamp = [&](int64_t at) {
    if (at < 0) at += extent;
    return at < lowest ? lowest : at > highest ? highest : at;
  };
  Part p;
  p.stride = stride;
  p.start = bit(a.begin_mask) ? (up ? 0 : extent - 1) : clamp(begin);
  if (bit(a.shrink_axis_mask)) {
    p.in_output = false;
    if (p.start < 0 || p.start >= extent) {
      return invalid_model(format("index %lld is outside of an axis of %lld",
                                  static_cast<long long>(begin), static_cast<long long>(extent)));
    }
    return p;
  }
  if (a.offset) end += p.start;
  const int64_t stop = bit(a.end_mask) ? (up ? extent : -1) : clamp(end);
  const int64_t length = up ? stop - p.start : p.start - stop;
  const int64_t step = up ? stride : -stride;
  p.count = length > 0 ? (length + step - 1) / step : 0;
  return p;
}

Result<std::vector<Part>> parts_of(const OpView& op) {
  const auto& a = op.attributes<StridedSliceAttributes>();
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> begin, op.constant_integers(1));
  EDGE_ASSIGN(const std::vector<int64_t> end, op.constant_integers(2));
  EDGE_ASSIGN(const std::vector<int64_t> stride, op.constant_integers(3));
  const size_t count = begin.size();
  if (count > kMaxSpecs || end.size() != count || stride.size() != count) {
    return invalid_model(
        format("%zu begins, %zu ends and %zu strides; wanted equally many, up to %zu", count,
               end.size(), stride.size(), kMaxSpecs));
  }
  const auto bit = [](int32_t mask, size_t i) { return (mask >> i & 1) != 0; };
  int named = 0, ellipses = 0;
  for (size_t i = 0; i < count; ++i) {
    ellipses += bit(a.ellipsis_mask, i);
    named += !bit(a.ellipsis_mask, i) && !bit(a.new_axis_mask, i);
  }
  if (ellipses > 1) return invalid_model("more than one ellipsis");
  if (named > x.rank()) {
    return invalid_model(format("it slices %d axes of rank %d", named, x.rank()));
  }
  std::vector<Part> parts;
  int axis = 0;
  const auto take_whole = [&](int axes) {
    for (; axes > 0; --axes) parts.push_back({0, x[axis++], 1});
  };
  for (size_t i = 0; i < count; ++i) {
    if (bit(a.ellipsis_mask, i)) {
      take_whole(x.rank() - named);
    } else if (bit(a.new_axis_mask, i)) {
      Part p;
      p.in_input = false;
      parts.push_back(p);
    } else {
      EDGE_ASSIGN(const Part p, resolve(a, i, begin[i], end[i], stride[i], x[axis]));
      parts.push_back(p);
      ++axis;
    }
  }
  take_whole(x.rank() - axis);
  return parts;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<Part> parts, parts_of(op));
  for (const Part& p : parts) {
    if (p.in_output) EDGE_TRY(append_extent(p.count, &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<Part> parts, parts_of(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = moved_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  StridedCopy copy(element);
  int64_t offset = 0;
  size_t source = 0, target = 0;
  for (const Part& p : parts) {
    if (p.in_input) {
      // A stride past the end is never taken, but its product with the axis' stride could overflow.
      const int64_t step = p.count > 1 ? p.stride * from[source] : 0;
      if (p.in_output) copy.add({p.count, step, to[target]});
      offset += p.start * from[source];
      ++source;
    }
    target += p.in_output;
  }
  if (y.shape.count() > 0) copy.set_offsets(offset, 0);
  return prepare_copy(op, copy);
}

}  // namespace

extern const OpDef op_strided_slice{check, infer, prepare, eval_copy};

}  // namespace edge
