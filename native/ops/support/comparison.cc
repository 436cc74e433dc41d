#include "ops/support/comparison.h"

#include <algorithm>

namespace edge {
namespace {

bool has_scale(const OpView& op, size_t i) { return !op.in(i).spec.quant.scale.empty(); }

// int16 is compared by its codes where order counts, whatever its scales (decision 001).
bool scaled(const OpView& op) {
  const DType type = op.in(0).spec.dtype;
  const bool codes = type == DType::kInt8 || type == DType::kUInt8 ||
                     (type == DType::kInt16 && (op.node().opcode == opcode::kEQUAL ||
                                                op.node().opcode == opcode::kNOT_EQUAL));
  return codes && (has_scale(op, 0) || has_scale(op, 1));
}

Status check(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  EDGE_TRY(op.expect_output(0, {DType::kBool}));
  if (!scaled(op)) return {};
  for (size_t i = 0; i < 2; ++i) {
    EDGE_TRY(op.expect_quantized(op.in(i)));
    EDGE_TRY(check_scales(op.in(i).spec.quant, format("input %zu", i).c_str()));
    const int32_t zero = op.in(i).spec.zero_point();
    if (zero < INT16_MIN || zero > INT16_MAX) {
      return invalid_model(format("input %zu has the impossible zero point %d", i, zero));
    }
  }
  return {};
}

}  // namespace

Status check_equality(const OpView& op) {
  return check(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32,
                    DType::kUInt32, DType::kInt64, DType::kBool});
}

Status check_order(const OpView& op) {
  return check(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32,
                    DType::kUInt32, DType::kInt64});
}

Status prepare_comparison(PrepareContext& op) {
  return prepare_comparison(op, &op.make_state<Comparison>());
}

Status prepare_comparison(PrepareContext& op, Comparison* state) {
  Comparison& s = *state;
  EDGE_TRY(prepare_binary(op, &s));
  s.scaled = scaled(op);
  if (!s.scaled) return {};
  s.zero_a = op.in(0).spec.zero_point();
  s.zero_b = op.in(1).spec.zero_point();
  EDGE_ASSIGN(s.a, fixed_point(double{op.in(0).spec.scale()}));
  EDGE_ASSIGN(s.b, fixed_point(double{op.in(1).spec.scale()}));
  // The reference has no rule for scales above 1: both are made smaller by the same power of two.
  const int above = std::max({s.a.e, s.b.e, 0});
  s.a.e -= above;
  s.b.e -= above;
  return {};
}

}  // namespace edge
