// BROADCAST_ARGS: the shape that two tensors of the shapes in the inputs have when broadcast.
#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kInt32;
  int a = 0, b = 0;  // ranks
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &a = op.in(0).spec.shape, &b = op.in(1).spec.shape;
  if (a.rank() != 1 || b.rank() != 1) return invalid_model("its inputs are no shapes");
  (*shapes)[0] = {std::max(a[0], b[0])};
  return {};
}

Status prepare(PrepareContext& op) {
  op.make_state<State>() = {op.in(0).spec.dtype, op.in(0).spec.shape[0], op.in(1).spec.shape[0]};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    const int rank = std::max(s.a, s.b);
    for (int i = 0; i < rank; ++i) {
      const T a = i < rank - s.a ? T{1} : run.in<T>(0)[i - (rank - s.a)];
      const T b = i < rank - s.b ? T{1} : run.in<T>(1)[i - (rank - s.b)];
      if (a != b && a != 1 && b != 1) {
        return run.fail(
            invalid_argument(format("extents %lld and %lld do not fit each other",
                                    static_cast<long long>(a), static_cast<long long>(b))));
      }
      run.out<T>(0)[i] = a == 1 ? b : a;
    }
  });
}

}  // namespace

extern const OpDef op_broadcast_args{check, infer, prepare, eval};

}  // namespace edge
