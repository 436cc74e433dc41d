#include "ops/support/select.h"

#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {

Status check_select(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kBool}));
  EDGE_TRY(expect_movable(op, 1));
  EDGE_TRY(op.expect_input(2, {op.in(1).spec.dtype}));
  EDGE_TRY(op.expect_output(0, {op.in(1).spec.dtype}));
  if (dtype_size(op.in(1).spec.dtype) > 8) {
    return unsupported(format("%s tensors", dtype_name(op.in(1).spec.dtype)));
  }
  EDGE_TRY(expect_same_codes(op.in(1), op.out(0)));
  return expect_same_codes(op.in(2), op.out(0));
}

Status prepare_select(PrepareContext& op, const Shape& condition) {
  Select& s = op.make_state<Select>();
  s.element = dtype_size(op.in(1).spec.dtype);
  const Shape& out = op.out(0).spec.shape;
  const Shape* shapes[] = {&condition, &op.in(1).spec.shape, &op.in(2).spec.shape, &out};
  Walk<4>::Steps size{1, 1, 1, 1};
  for (int i = 1; i <= out.rank(); ++i) {
    Walk<4>::Axis axis{out[out.rank() - i], {}};
    for (size_t k = 0; k < 4; ++k) {
      const int at = shapes[k]->rank() - i;
      const int64_t extent = at < 0 ? 1 : (*shapes[k])[at];
      axis.step[k] = extent == 1 ? 0 : size[k];
      size[k] *= extent;
    }
    s.walk.add(axis);
  }
  return {};
}

void eval_select(const EvalContext& run) {
  const Select& s = run.state<Select>();
  const uint8_t* condition = run.in<uint8_t>(0);
  by_size(s.element, [&](auto of) {
    using T = decltype(of);
    const T *a = run.in<T>(1), *b = run.in<T>(2);
    T* out = run.out<T>(0);
    s.walk.run([&](int64_t n, const auto& at, const auto& step) {
      for (int64_t i = 0; i < n; ++i) {
        out[at[3] + i * step[3]] =
            condition[at[0] + i * step[0]] ? a[at[1] + i * step[1]] : b[at[2] + i * step[2]];
      }
    });
  });
}

}  // namespace edge
