// DIV: a / b, broadcast, with a fused activation; integers are cut towards 0. The run fails where
// an integer divisor is 0.
#include "ops/support/arithmetic.h"
#include "ops/support/divisor.h"
#include "ops/support/fixed_point.h"

namespace edge {
namespace {

// 1 / divisor = fraction * 2^-(31 + shift)
struct Reciprocal {
  int32_t fraction = 0;
  int shift = 0;
};

struct State : Arithmetic {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  requantize::Multiplier multiplier{};
  Range range;
  std::array<Reciprocal, 256> reciprocals;  // by divisor, of 8 bits; none for 0
};

Reciprocal reciprocal_of(int divisor) {
  const int zeros = __builtin_clz(static_cast<unsigned>(divisor));
  const uint32_t normal = static_cast<uint32_t>(divisor) << zeros;
  return {softmax::reciprocal(static_cast<int32_t>(normal - (1u << 31))), 31 - zeros};
}

int32_t divide_codes(int32_t a, int32_t b, const State& s) {
  const int32_t numerator = b < 0 ? -a : a;
  const Reciprocal r = s.type == DType::kInt16 ? reciprocal_of(std::abs(b))
                                               : s.reciprocals[static_cast<size_t>(std::abs(b))];
  const uint32_t magnitude = static_cast<uint32_t>(numerator < 0 ? ~numerator : numerator);
  const int headroom = magnitude ? __builtin_clz(magnitude) - 1 : 31;
  const int32_t left = static_cast<int32_t>(static_cast<uint32_t>(numerator) << headroom);
  const int32_t quotient = softmax::multiply(left, r.fraction);
  const int shift = r.shift + headroom - s.multiplier.e;
  return round_shift(softmax::multiply(quotient, s.multiplier.m), shift);
}

template <typename T>
void eval_codes(const EvalContext& run, const State& s) {
  if (!check_divisors(run, s.count_b, static_cast<T>(s.zero_b))) return;
  map_binary<T>(run, s.shape, [&](T x, T y) {
    const int32_t a = x - s.zero_a, b = y - s.zero_b;
    const int32_t v = requantize::wrapping_add(divide_codes(a, b, s), s.zero_out);
    return static_cast<T>(std::min(std::max(v, s.range.low), s.range.high));
  });
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<DivAttributes>());
  EDGE_TRY(check_binary(
      op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32}));
  return check_binary_quantized(op);
}

Status prepare(PrepareContext& op) {
  const Activation activation = op.attributes<DivAttributes>().activation;
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_arithmetic(op, elementwise::OpF32::kDiv, activation, &state));
  if (state.type == DType::kFloat32 || state.type == DType::kInt32) return {};
  const TensorSpec &a = op.in(0).spec, &b = op.in(1).spec, &out = op.out(0).spec;
  state.zero_a = a.zero_point();
  state.zero_b = b.zero_point();
  state.zero_out = out.zero_point();
  EDGE_ASSIGN(state.range, activation_range(activation, out));
  EDGE_ASSIGN(state.multiplier, fixed_point(double{a.scale() / (b.scale() * out.scale())}));
  for (int d = 1; d < 256; ++d) state.reciprocals[static_cast<size_t>(d)] = reciprocal_of(d);
  return {};
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  switch (state.type) {
    case DType::kInt8:
      return eval_codes<int8_t>(run, state);
    case DType::kUInt8:
      return eval_codes<uint8_t>(run, state);
    case DType::kInt16:
      return eval_codes<int16_t>(run, state);
    case DType::kInt32:
      if (!check_divisors(run, state.count_b, 0)) return;
      return eval_integer<int32_t>(run, state, [](uint32_t a, uint32_t b) {
        // In 64 bits, where the lowest integer has a negative.
        const int64_t x = static_cast<int32_t>(a), y = static_cast<int32_t>(b);
        return static_cast<uint32_t>(std::min<int64_t>(x / y, INT32_MAX));
      });
    default:
      return eval_f32(run, state);
  }
}

}  // namespace

extern const OpDef op_div{check, infer_binary, prepare, eval};

}  // namespace edge
