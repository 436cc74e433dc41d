// RANGE: start, start + delta, start + 2 delta, ... up to the limit, which is not part of it.
#include <cmath>
#include <cstring>

#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kInt32;
  int64_t count = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt32, DType::kInt64}));
  for (size_t i = 1; i < 3; ++i) EDGE_TRY(op.expect_input(i, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}

// How many elements there are; -1 where delta leads away from the limit or is 0.
template <typename T>
double steps(const T (&v)[3]) {
  if constexpr (std::is_floating_point_v<T>) {
    const float n = (v[1] - v[0]) / v[2];
    return v[2] == 0 || !(n >= 0) ? -1 : std::ceil(double{n});
  } else {
    if (v[2] == 0 || (v[2] > 0 ? v[0] > v[1] : v[0] < v[1])) return -1;
    uint64_t way = static_cast<uint64_t>(v[1]) - static_cast<uint64_t>(v[0]);
    uint64_t by = static_cast<uint64_t>(v[2]);
    if (v[2] < 0) {
      way = 0 - way;
      by = 0 - by;
    }
    return static_cast<double>(way / by + (way % by != 0));
  }
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  for (size_t i = 0; i < 3; ++i) {
    if (op.in(i).spec.shape.count() != 1) {
      return invalid_model(format("its input %zu is not a scalar", i));
    }
    EDGE_TRY(op.expect_known(i));
  }
  double count = -1;
  by_type<float, int32_t, int64_t>(op.in(0).spec.dtype, [&](auto of) {
    decltype(of) v[3];
    for (size_t i = 0; i < 3; ++i) std::memcpy(&v[i], op.in(i).data.data(), sizeof v[i]);
    count = steps(v);
  });
  if (count < 0) return invalid_model("its delta does not lead to its limit");
  return append_extent(count > INT32_MAX ? int64_t{INT32_MAX} + 1 : static_cast<int64_t>(count),
                       &(*shapes)[0]);
}

Status prepare(PrepareContext& op) {
  op.make_state<State>() = {op.in(0).spec.dtype, op.out(0).spec.shape.count()};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    T value = *run.in<T>(0);
    for (int64_t i = 0; i < s.count; ++i) {
      run.out<T>(0)[i] = value;
      value = wrapping_sum(value, *run.in<T>(2));
    }
  });
}

}  // namespace

extern const OpDef op_range{check, infer, prepare, eval};

}  // namespace edge
