// CUMSUM: the sum of all elements up to each one along an axis, without itself where exclusive,
// from the other end where reverse. Integers wrap.
#include "ops/support/by_type.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  int64_t outer = 0, extent = 0, inner = 0;
  bool exclusive = false, reverse = false;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<CumsumAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output_as_input();
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  EDGE_ASSIGN(const std::vector<int64_t> axes, op.constant_integers(1));
  if (axes.size() != 1) return invalid_model(format("%zu axes, wanted 1", axes.size()));
  EDGE_ASSIGN(const int axis, OpView::normalize_axis(axes[0], x.shape.rank()));
  State& s = op.make_state<State>();
  s.type = x.dtype;
  if (x.shape.count() == 0) return {};
  s.outer = x.shape.count(0, axis);
  s.extent = x.shape[axis];
  s.inner = x.shape.count(axis + 1, x.shape.rank());
  s.exclusive = op.attributes<CumsumAttributes>().exclusive;
  s.reverse = op.attributes<CumsumAttributes>().reverse;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    const int64_t step = s.reverse ? -s.inner : s.inner;
    for (int64_t o = 0; o < s.outer; ++o) {
      for (int64_t i = 0; i < s.inner; ++i) {
        int64_t at = (o * s.extent + (s.reverse ? s.extent - 1 : 0)) * s.inner + i;
        T sum{};
        for (int64_t k = 0; k < s.extent; ++k, at += step) {
          const T with = wrapping_sum(sum, run.in<T>(0)[at]);
          run.out<T>(0)[at] = s.exclusive ? sum : with;
          sum = with;
        }
      }
    }
  });
}

}  // namespace

extern const OpDef op_cumsum{check, infer_unary, prepare, eval};

}  // namespace edge
