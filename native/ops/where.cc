// WHERE: the coordinates of all elements that are not 0, in order. How many there are decides the
// shape.
#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kBool;
  Shape shape;
};

// f(i) for the number of each element that is not 0.
template <typename F>
void for_each_true(const uint8_t* data, DType type, int64_t count, const F& f) {
  by_type<float, int8_t, uint8_t, int32_t, uint32_t, int64_t>(type, [&](auto of) {
    const auto* x = reinterpret_cast<const decltype(of)*>(data);
    for (int64_t i = 0; i < count; ++i) {
      if (x[i] != 0) f(i);
    }
  });
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kBool, DType::kFloat32, DType::kInt8, DType::kUInt8,
                               DType::kInt32, DType::kUInt32, DType::kInt64}));
  return op.expect_output(0, {DType::kInt64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Value& x = op.in(0);
  if (x.spec.shape.rank() < 1) return invalid_model("its input is a scalar");
  EDGE_ASSIGN(const Span<const uint8_t> data, op.known(0));
  int64_t count = 0;
  for_each_true(data.data(), x.spec.dtype, x.spec.shape.count(), [&](int64_t) { ++count; });
  EDGE_TRY(append_extent(count, &(*shapes)[0]));
  return append_extent(x.spec.shape.rank(), &(*shapes)[0]);
}

Status prepare(PrepareContext& op) {
  op.make_state<State>() = {op.in(0).spec.dtype, op.in(0).spec.shape};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int rank = s.shape.rank();
  int64_t* out = run.out<int64_t>(0);
  for_each_true(run.in<uint8_t>(0), s.type, s.shape.count(), [&](int64_t i) {
    for (int axis = rank; axis-- > 0; i /= s.shape[axis]) out[axis] = i % s.shape[axis];
    out += rank;
  });
}

}  // namespace

extern const OpDef op_where{check, infer, prepare, eval};

}  // namespace edge
