#include "ops/support/movement.h"

#include <cstring>
#include <numeric>

#include "ops/support/strings.h"

namespace edge {
namespace {

struct Movement {
  StridedCopy copy;
  size_t input = 0;
  bool strings = false;
  int64_t from = 0, to = 0;  // strings on both sides
};

}  // namespace

Status expect_movable(const OpView& op, size_t i, bool strings) {
  const Value& v = op.in(i);
  if (dtype_size(v.spec.dtype) == 0 && !(strings && v.spec.dtype == DType::kString)) {
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

Status check_movement(const OpView& op, size_t inputs, bool strings) {
  EDGE_TRY(op.expect_arity(inputs, inputs, 1));
  EDGE_TRY(expect_movable(op, 0, strings));
  for (size_t i = 1; i < inputs; ++i) EDGE_TRY(op.expect_input(i, {DType::kInt32, DType::kInt64}));
  return op.expect_output_as_input();
}

size_t moved_size(DType type) {
  return type == DType::kString ? sizeof(int32_t) : dtype_size(type);
}

Status prepare_copy(PrepareContext& op, const StridedCopy& copy, size_t input) {
  Movement& m = op.make_state<Movement>();
  m.copy = copy.simplified();
  m.input = input;
  m.strings = op.in(input).spec.dtype == DType::kString;
  if (!m.strings) return {};
  m.from = op.in(input).spec.shape.count();
  m.to = op.out(0).spec.shape.count();
  if (m.from > kMostStrings || m.to > kMostStrings) return unsupported("that many strings");
  op.scratch_shared = sizeof(int32_t) * static_cast<size_t>(m.from + m.to);
  return {};
}

// Strings are moved by their numbers, and written once it is known which go where.
void eval_copy(const EvalContext& run) {
  const Movement& m = run.state<Movement>();
  const uint8_t* in = run.in<uint8_t>(m.input);
  if (!m.strings) return m.copy.run(in, run.out<uint8_t>(0), run.pool());
  int32_t* numbers = reinterpret_cast<int32_t*>(run.shared_scratch());
  int32_t* moved = numbers + m.from;
  std::iota(numbers, moved, 0);
  if (m.to > 0) {
    m.copy.run(reinterpret_cast<uint8_t*>(numbers), reinterpret_cast<uint8_t*>(moved), run.pool());
  }
  const Strings all(in);
  write_strings(run, 0, m.to, [&](int64_t k) { return all[moved[k]]; });
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
