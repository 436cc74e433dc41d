// ONE_HOT: y[o, d, i] = on where index[o, i] = d, else off, along a new axis of `depth` elements.
#include "ops/support/by_type.h"
#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  int64_t outer = 0, depth = 0, inner = 0;
  size_t element = 0, index_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<OneHotAttributes>());
  EDGE_TRY(op.expect_arity(4, 4, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  EDGE_TRY(expect_movable(op, 2));
  EDGE_TRY(op.expect_input(3, {op.in(2).spec.dtype}));
  if (dtype_size(op.in(2).spec.dtype) > 8) {
    return unsupported(format("%s tensors", dtype_name(op.in(2).spec.dtype)));
  }
  return op.expect_output(0, {op.in(2).spec.dtype});
}

Result<int> axis_of(const OpView& op) {
  const int rank = op.in(0).spec.shape.rank(), axis = op.attributes<OneHotAttributes>().axis;
  if (axis >= -1 && axis <= rank) return axis < 0 ? rank : axis;
  return invalid_model(format("axis %d is outside of rank %d", axis, rank + 1));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  for (size_t i = 1; i < 4; ++i) {
    if (op.in(i).spec.shape.count() != 1) {
      return invalid_model(format("its input %zu is not a scalar", i));
    }
  }
  EDGE_ASSIGN(const int axis, axis_of(op));
  EDGE_ASSIGN(const std::vector<int64_t> depth, op.constant_integers(1));
  const Shape& index = op.in(0).spec.shape;
  for (int i = 0; i <= index.rank(); ++i) {
    if (i == axis) EDGE_TRY(append_extent(depth[0], &(*shapes)[0]));
    if (i < index.rank()) EDGE_TRY(append_extent(index[i], &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const int axis, axis_of(op));
  const Shape& y = op.out(0).spec.shape;
  State& s = op.make_state<State>();
  s.element = dtype_size(op.out(0).spec.dtype);
  s.index_bytes = dtype_size(op.in(0).spec.dtype);
  if (y.count() == 0) return {};
  s.outer = y.count(0, axis);
  s.depth = y[axis];
  s.inner = y.count(axis + 1, y.rank());
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const Indices index(run.in<uint8_t>(0), s.index_bytes);
  by_size(s.element, [&](auto of) {
    using T = decltype(of);
    const T on = *run.in<T>(2), off = *run.in<T>(3);
    T* out = run.out<T>(0);
    for (int64_t o = 0; o < s.outer; ++o) {
      for (int64_t d = 0; d < s.depth; ++d) {
        for (int64_t i = 0; i < s.inner; ++i) *out++ = index[o * s.inner + i] == d ? on : off;
      }
    }
  });
}

}  // namespace

extern const OpDef op_one_hot{check, infer, prepare, eval};

}  // namespace edge
