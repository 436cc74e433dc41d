#include "ops/support/comparison.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "ops/support/by_type.h"
#include "ops/support/fixed_point.h"
#include "ops/support/strings.h"

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

template <typename F>
void compare_strings(const EvalContext& run, const Comparison& s) {
  const Strings a(run.in<uint8_t>(s.a)), b(run.in<uint8_t>(s.b));
  const int64_t step_a = s.shape.a_repeats ? 0 : 1, step_b = s.shape.b_repeats ? 0 : 1;
  for_runs(run.pool(), s.shape, [&](const Run& r) {
    uint8_t* out = run.out<uint8_t>(0) + r.out;
    for (int64_t i = 0; i < static_cast<int64_t>(r.n); ++i) {
      const auto x = a[static_cast<int64_t>(r.a) + i * step_a];
      out[i] = F()(x, b[static_cast<int64_t>(r.b) + i * step_b]) != s.negated;
    }
  });
}

template <typename F>
void compare(const EvalContext& run, const Comparison& s) {
  const bool negated = s.negated;
  if (s.type == DType::kString) return compare_strings<F>(run, s);
  if (s.scaled) {
    constexpr int kFineBits = 8;
    return by_type<int8_t, uint8_t, int16_t>(s.type, [&](auto of) {
      using T = decltype(of);
      const auto f = [&](T a, T b) {
        return F()(rescale((a - s.zero_a) * (1 << kFineBits), s.scale_a),
                   rescale((b - s.zero_b) * (1 << kFineBits), s.scale_b)) != negated;
      };
      map_binary<T, uint8_t>(run, s.shape, f, s.a, s.b);
    });
  }
  if (s.type == DType::kBool) {
    const auto f = [=](uint8_t a, uint8_t b) { return F()(a != 0, b != 0) != negated; };
    return map_binary<uint8_t>(run, s.shape, f, s.a, s.b);
  }
  by_type<float, int8_t, uint8_t, int16_t, int32_t, uint32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    const auto f = [=](T a, T b) { return F()(a, b) != negated; };
    map_binary<T, uint8_t>(run, s.shape, f, s.a, s.b);
  });
}

}  // namespace

Status check_equality(const OpView& op) {
  return check(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32,
                    DType::kUInt32, DType::kInt64, DType::kBool, DType::kString});
}

Status check_order(const OpView& op) {
  return check(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32,
                    DType::kUInt32, DType::kInt64});
}

// a > b is b < a, a != b is not a == b, also of numbers that are none: so three functions do.
Status prepare_comparison(PrepareContext& op, Relation relation) {
  Comparison& s = op.make_state<Comparison>();
  EDGE_TRY(prepare_binary(op, &s));
  s.negated = relation == Relation::kNotEqual;
  if (relation == Relation::kGreater || relation == Relation::kGreaterEqual) std::swap(s.a, s.b);
  const TensorSpec &a = op.in(s.a).spec, &b = op.in(s.b).spec;
  s.shape = make_broadcast(a.shape, b.shape);
  switch (relation) {
    case Relation::kEqual:
    case Relation::kNotEqual:
      s.compare = compare<std::equal_to<>>;
      break;
    case Relation::kGreaterEqual:
    case Relation::kLessEqual:
      s.compare = compare<std::less_equal<>>;
      break;
    case Relation::kGreater:
    case Relation::kLess:
      s.compare = compare<std::less<>>;
  }
  s.scaled = scaled(op);
  if (!s.scaled) return {};
  s.zero_a = a.zero_point();
  s.zero_b = b.zero_point();
  EDGE_ASSIGN(s.scale_a, fixed_point(double{a.scale()}));
  EDGE_ASSIGN(s.scale_b, fixed_point(double{b.scale()}));
  // The reference has no rule for scales above 1: both are made smaller by the same power of two.
  const int above = std::max({s.scale_a.e, s.scale_b.e, 0});
  s.scale_a.e -= above;
  s.scale_b.e -= above;
  return {};
}

void eval_comparison(const EvalContext& run) {
  const Comparison& s = run.state<Comparison>();
  s.compare(run, s);
}

}  // namespace edge
