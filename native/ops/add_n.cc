// ADD_N: the sum of two or more inputs of one shape. Integers wrap.
#include "ops/support/by_type.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  size_t inputs = 0, count = 0;
};

Status check(const OpView& op) {
  const size_t n = op.input_count();
  EDGE_TRY(op.expect_arity(n < 2 ? 2 : n, n, 1));
  for (size_t i = 0; i < n; ++i) {
    EDGE_TRY(op.expect_input(i, {DType::kFloat32, DType::kInt32}));
    EDGE_TRY(op.expect_input(i, {op.in(0).spec.dtype}));
  }
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& first = op.in(0).spec.shape;
  for (size_t i = 1; i < op.input_count(); ++i) {
    if (op.in(i).spec.shape == first) continue;
    return invalid_model(format("shapes %s and %s differ", to_string(first).c_str(),
                                to_string(op.in(i).spec.shape).c_str()));
  }
  (*shapes)[0] = first;
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  op.make_state<State>() = {x.dtype, op.input_count(), static_cast<size_t>(x.shape.count())};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, int32_t>(s.type, [&](auto of) {
    using T = decltype(of);
    T* out = run.out<T>(0);
    for_chunks(run.pool(), s.count, [&](size_t begin, size_t end) {
      const T* first = run.in<T>(0);
      std::copy(first + begin, first + end, out + begin);
      for (size_t k = 1; k < s.inputs; ++k) {
        const T* x = run.in<T>(k);
        for (size_t i = begin; i < end; ++i) out[i] = wrapping_sum(out[i], x[i]);
      }
    });
  });
}

}  // namespace

extern const OpDef op_add_n{check, infer, prepare, eval};

}  // namespace edge
