// TOPK_V2: the k largest elements of each row, largest first and the earlier one first where they
// are equal, and where they are in their row. A NaN is the smallest.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/arena.h"
#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  int64_t rows = 0, row = 0, k = 0;
  bool narrow = false;  // indices of int16
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 2));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                               DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt16}));
  EDGE_TRY(op.expect_output(1, {DType::kInt32, DType::kInt16}));
  return op.expect_output_as_input();
}

Result<int64_t> count_of(const OpView& op) {
  const Value& k = op.in(1);
  if (k.spec.shape.count() != 1) return invalid_model("its k is not a scalar");
  if (k.spec.dtype == DType::kInt32) {
    EDGE_ASSIGN(const std::vector<int64_t> values, op.constant_integers(1));
    return values[0];
  }
  EDGE_ASSIGN(const Span<const uint8_t> data, op.known(1));
  int16_t value;
  std::memcpy(&value, data.data(), sizeof value);
  return int64_t{value};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const int64_t k, count_of(op));
  const int last = x.rank() - 1;
  if (last < 0 || k > x[last]) {
    return invalid_model(
        format("%lld elements of each row of %s", static_cast<long long>(k), to_string(x).c_str()));
  }
  for (Shape& y : *shapes) {
    for (int i = 0; i < last; ++i) y.push_back(x[i]);
    y.push_back(static_cast<int32_t>(std::max(k, int64_t{0})));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  State& s = op.make_state<State>();
  s.type = x.dtype;
  s.narrow = op.out(1).spec.dtype == DType::kInt16;
  if (op.out(0).spec.shape.count() == 0) return {};
  s.row = x.shape[x.shape.rank() - 1];
  s.rows = x.shape.count() / s.row;
  s.k = op.out(0).spec.shape[x.shape.rank() - 1];
  if (s.narrow && s.row > INT16_MAX) {
    return invalid_model(format("%lld elements in a row", static_cast<long long>(s.row)));
  }
  op.scratch_per_worker = (Bytes(static_cast<size_t>(s.row)) * sizeof(int32_t)).count();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    run.pool().run(static_cast<size_t>(s.rows), [&](size_t r, int worker) {
      const int64_t row = static_cast<int64_t>(r);
      const T* x = run.in<T>(0) + row * s.row;
      int32_t* order = reinterpret_cast<int32_t*>(run.scratch(worker));
      std::iota(order, order + s.row, 0);
      std::partial_sort(order, order + s.k, order + s.row, [x](int32_t a, int32_t b) {
        const bool no_a = x[a] != x[a], no_b = x[b] != x[b];
        if (no_a != no_b) return no_b;
        return x[a] > x[b] || (!(x[a] < x[b]) && a < b);
      });
      for (int64_t i = 0; i < s.k; ++i) {
        run.out<T>(0)[row * s.k + i] = x[order[i]];
        if (s.narrow) {
          run.out<int16_t>(1)[row * s.k + i] = static_cast<int16_t>(order[i]);
        } else {
          run.out<int32_t>(1)[row * s.k + i] = order[i];
        }
      }
    });
  });
}

}  // namespace

extern const OpDef op_topk_v2{check, infer, prepare, eval};

}  // namespace edge
