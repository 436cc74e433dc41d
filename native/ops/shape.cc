// SHAPE: the extents of the input as a vector.
#include <cstring>

#include "ops/op.h"

namespace edge {
namespace {

struct State {
  Shape shape;
  bool wide = false;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  return op.expect_output(0, {DType::kInt32, DType::kInt64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = {op.in(0).spec.shape.rank()};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.shape = op.in(0).spec.shape;
  s.wide = op.out(0).spec.dtype == DType::kInt64;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  for (int i = 0; i < s.shape.rank(); ++i) {
    if (s.wide) {
      run.out<int64_t>(0)[i] = s.shape[i];
    } else {
      run.out<int32_t>(0)[i] = s.shape[i];
    }
  }
}

}  // namespace

extern const OpDef op_shape{
    check, infer, prepare, eval, nullptr, /*alias=*/false, /*shape_only=*/true};

}  // namespace edge
