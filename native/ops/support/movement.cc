#include "ops/support/movement.h"

#include <cstring>

namespace edge {

Status expect_movable(const OpView& op, size_t i) {
  const Value& v = op.in(i);
  if (dtype_size(v.spec.dtype) == 0) {
    return unsupported(format("%s tensors", dtype_name(v.spec.dtype)));
  }
  return {};
}

Status expect_same_codes(const Value& from, const Value& to) {
  const TensorSpec &a = from.spec, &b = to.spec;
  if (a.quant.per_channel() || b.quant.per_channel()) return {};
  if (a.scale() == b.scale() && a.zero_point() == b.zero_point()) return {};
  return invalid_model(
      format("scale %g and zero point %d of '%.100s' differ from %g and %d of '%.100s'",
             static_cast<double>(a.scale()), a.zero_point(), a.name.c_str(),
             static_cast<double>(b.scale()), b.zero_point(), b.name.c_str()));
}

Status check_movement(const OpView& op, size_t inputs) {
  EDGE_TRY(op.expect_arity(inputs, inputs, 1));
  EDGE_TRY(expect_movable(op, 0));
  for (size_t i = 1; i < inputs; ++i) EDGE_TRY(op.expect_input(i, {DType::kInt32, DType::kInt64}));
  return op.expect_output_as_input();
}

void eval_copy(const EvalContext& run) {
  run.state<StridedCopy>().run(run.in<uint8_t>(0), run.out<uint8_t>(0), run.pool());
}

Status prepare_same_bytes(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  EDGE_ASSIGN(op.make_state<size_t>(), byte_size(x.dtype, x.shape));
  return {};
}

void eval_same_bytes(const EvalContext& run) {
  const size_t bytes = run.state<size_t>();
  if (bytes) std::memmove(run.out<uint8_t>(0), run.in<uint8_t>(0), bytes);
}

Status append_extent(int64_t extent, Shape* shape) {
  if (extent < 0 || extent > INT32_MAX) {
    return invalid_model(format("%lld is no extent", static_cast<long long>(extent)));
  }
  if (shape->rank() == kMaxRank) {
    return unsupported(format("its output has more than %d dimensions", kMaxRank));
  }
  shape->push_back(static_cast<int32_t>(extent));
  return {};
}

}  // namespace edge
