#include "ops/support/broadcast.h"

namespace edge {
namespace {

// The extent of an axis counted from the last, 1 where the shape has none.
int32_t extent(const Shape& shape, int from_last) {
  return from_last < shape.rank() ? shape[shape.rank() - 1 - from_last] : 1;
}

}  // namespace

Result<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  Shape shape;
  for (int i = std::max(a.rank(), b.rank()) - 1; i >= 0; --i) {
    const int32_t x = extent(a, i), y = extent(b, i);
    if (x != y && x != 1 && y != 1) {
      return invalid_model(format("shapes %s and %s do not fit each other", to_string(a).c_str(),
                                  to_string(b).c_str()));
    }
    shape.push_back(x == 1 ? y : x);
  }
  return shape;
}

Broadcast make_broadcast(const Shape& a, const Shape& b) {
  Broadcast s;
  s.count = 1;
  size_t step_a = 1, step_b = 1;
  // Whether the operand repeats along an axis so far, and whether it advances outside of one.
  bool a_ended = false, b_ended = false, a_uneven = false, b_uneven = false;
  // Axes from the innermost on; one that continues the axis inside of it in both operands is part
  // of it.
  for (int i = 0; i < std::max(a.rank(), b.rank()); ++i) {
    const size_t in_a = static_cast<size_t>(extent(a, i)), in_b = static_cast<size_t>(extent(b, i));
    const size_t n = in_a == 1 ? in_b : in_a;
    s.count *= n;
    if (n == 1) continue;
    a_ended |= in_a == 1;
    b_ended |= in_b == 1;
    a_uneven |= a_ended && in_a != 1;
    b_uneven |= b_ended && in_b != 1;
    const Broadcast::Axis axis{n, in_a == 1 ? 0 : step_a, in_b == 1 ? 0 : step_b};
    step_a *= in_a;
    step_b *= in_b;
    Broadcast::Axis* inner = s.rank ? &s.axes[static_cast<size_t>(s.rank - 1)] : nullptr;
    if (inner && axis.a == inner->a * inner->extent && axis.b == inner->b * inner->extent) {
      inner->extent *= n;
    } else {
      s.axes[static_cast<size_t>(s.rank++)] = axis;
    }
  }
  s.a_period = a_uneven ? 0 : step_a;
  s.b_period = b_uneven ? 0 : step_b;
  if (s.rank == 0) return s;
  s.run = s.axes[0].extent;
  s.a_repeats = s.axes[0].a == 0;
  s.b_repeats = s.axes[0].b == 0;
  std::copy(s.axes.begin() + 1, s.axes.begin() + s.rank, s.axes.begin());
  --s.rank;
  return s;
}

}  // namespace edge
