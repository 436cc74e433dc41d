// DILATE: sets the elements of an array apart, so many places along each axis, and fills what is
// between them with a value.
#include "ops/support/fill.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

enum Input : size_t { kX, kSteps, kFiller };

struct State {
  StridedCopy copy;
  size_t bytes = 0, element = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(expect_movable(op, kX));
  EDGE_TRY(op.expect_input(kSteps, {DType::kInt32}));
  EDGE_TRY(op.expect_input(kFiller, {op.in(kX).spec.dtype}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> steps, op.constant_integers(kSteps));
  const Shape& x = op.in(kX).spec.shape;
  if (x.rank() < 1 || op.in(kSteps).spec.shape != Shape{x.rank()} ||
      op.in(kFiller).spec.shape.count() != 1) {
    return invalid_model(format("%zu dilations of %s", steps.size(), to_string(x).c_str()));
  }
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t step = steps[static_cast<size_t>(i)];
    if (step < 1 || x[i] < 1) {
      return invalid_model(
          format("a dilation of %lld of an axis of %d", static_cast<long long>(step), x[i]));
    }
    EDGE_TRY(append_extent((int64_t{x[i]} - 1) * step + 1, &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> steps, op.constant_integers(kSteps));
  const TensorSpec &x = op.in(kX).spec, &y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.element = dtype_size(x.dtype);
  EDGE_ASSIGN(s.bytes, byte_size(y.dtype, y.shape));
  const auto in = byte_strides(x.shape, s.element), out = byte_strides(y.shape, s.element);
  s.copy = StridedCopy(s.element);
  for (int i = 0; i < x.shape.rank(); ++i) {
    const size_t axis = static_cast<size_t>(i);
    s.copy.add({x.shape[i], in[axis], out[axis] * steps[axis]});
  }
  s.copy = s.copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  fill_bytes(run.out<uint8_t>(0), s.bytes, run.in<uint8_t>(kFiller), s.element);
  s.copy.run(run.in<uint8_t>(kX), run.out<uint8_t>(0), run.pool());
}

}  // namespace

extern const OpDef op_dilate{check, infer, prepare, eval};

}  // namespace edge
