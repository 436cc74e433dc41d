// UNIQUE: the different elements of a vector in the order of their first appearance, and which of
// them each element is. How many there are decides the shape.
#include <algorithm>
#include <numeric>

#include "base/arena.h"
#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kInt32;
  int32_t count = 0;
  bool wide = false;  // int64 numbers
};

// numbers[i] is that of element i's value; order[n] is scratch memory. Returns how many there are.
// A NaN is like nothing else.
template <typename T>
int32_t number(const T* x, int32_t n, int32_t* order, int32_t* numbers) {
  std::iota(order, order + n, 0);
  std::sort(order, order + n, [x](int32_t a, int32_t b) {
    const bool no_a = x[a] != x[a], no_b = x[b] != x[b];
    if (no_a != no_b) return no_b;
    return x[a] < x[b] || (!(x[b] < x[a]) && a < b);
  });
  // First the place where each value appears first, then that one's number.
  for (int32_t i = 0; i < n; ++i) {
    const bool repeats = i > 0 && x[order[i]] == x[order[i - 1]];
    numbers[order[i]] = repeats ? numbers[order[i - 1]] : order[i];
  }
  int32_t count = 0;
  for (int32_t i = 0; i < n; ++i) numbers[i] = numbers[i] == i ? count++ : numbers[numbers[i]];
  return count;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 2));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                               DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_output(1, {DType::kInt32, DType::kInt64}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Value& x = op.in(0);
  const Shape& shape = x.spec.shape;
  if (shape.rank() != 1) return invalid_model("its input is no vector");
  EDGE_TRY(op.expect_known(0));
  const size_t n = static_cast<size_t>(shape[0]);
  std::vector<int32_t> order(n), numbers(n);
  int32_t count = 0;
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(x.spec.dtype, [&](auto of) {
    const auto* data = reinterpret_cast<const decltype(of)*>(x.data.data());
    count = number(data, shape[0], order.data(), numbers.data());
  });
  (*shapes)[0] = {count};
  (*shapes)[1] = shape;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.type = op.in(0).spec.dtype;
  s.count = op.in(0).spec.shape[0];
  s.wide = op.out(1).spec.dtype == DType::kInt64;
  op.scratch_per_worker = (Bytes(static_cast<size_t>(s.count)) * 2 * sizeof(int32_t)).count();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  int32_t* order = reinterpret_cast<int32_t*>(run.scratch(0));
  int32_t* numbers = order + s.count;
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    const T* x = run.in<T>(0);
    number(x, s.count, order, numbers);
    for (int32_t i = s.count; i-- > 0;) run.out<T>(0)[numbers[i]] = x[i];
  });
  if (s.wide) {
    std::copy_n(numbers, s.count, run.out<int64_t>(1));
  } else {
    std::copy_n(numbers, s.count, run.out<int32_t>(1));
  }
}

}  // namespace

extern const OpDef op_unique{check, infer, prepare, eval};

}  // namespace edge
