// HARD_SWISH: x * min(max(x + 3, 0), 6) / 6.
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

// 16-bit fixed point as TFLite's reference does it.

int32_t saturate(int64_t v) {
  return static_cast<int32_t>(std::min<int64_t>(std::max<int64_t>(v, INT16_MIN), INT16_MAX));
}

// A 32-bit multiplier's upper half.
int32_t narrow(int32_t m) { return saturate((int64_t{m} + (1 << 15)) >> 16); }

int32_t multiply(int32_t a, int32_t b) { return saturate((int64_t{a} * b + (1 << 14)) >> 15); }

// x / 2^exponent, rounded half away from zero. The mask has 16 bits, so that beyond 15 what is left
// of a small value is 1 and not 0.
int32_t round_shift16(int32_t x, int exponent) {
  const int32_t mask = static_cast<int16_t>((int64_t{1} << exponent) - 1);
  const int32_t threshold = (mask >> 1) + (x < 0);
  return (x >> exponent) + ((x & mask) > threshold);
}

struct Scales {
  int32_t in_zero, out_zero;
  requantize::Multiplier out;   // from 1/128 of an input code to an output code
  requantize::Multiplier gate;  // from 1/128 of an input code to 2^-15 of 3
};

int32_t hard_swish(int32_t q, const Scales& s) {
  const int32_t fine = (q - s.in_zero) * 128;
  const int32_t scaled = multiply(fine, narrow(s.out.m));
  int32_t gate = fine;  // becomes x / 3 cut to [-1, 1) as Q0.15
  if (s.gate.e > 0) gate = saturate(int64_t{gate} * (int64_t{1} << std::min(s.gate.e - 1, 16)));
  gate = multiply(gate, narrow(s.gate.m));
  if (s.gate.e > 0) gate = saturate(int64_t{gate} * 2);
  if (s.gate.e < 0) gate = round_shift16(gate, -s.gate.e);
  const int32_t half = (gate + (1 << 15)) >> 1;  // (x / 3 + 1) / 2
  const int32_t product = half * scaled / (1 << 15);
  return static_cast<int16_t>(round_shift16(product, -s.out.e) + s.out_zero);
}

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8});
}

Status prepare(PrepareContext& op) {
  Unary& state = op.make_state<Unary>();
  EDGE_TRY(prepare_unary(op, &state));
  if (!is_8bit(state.type)) return {};
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  const float fine_scale = in.scale() / 128;
  Scales scales{in.zero_point(), out.zero_point(), {}, {}};
  EDGE_ASSIGN(scales.out, fixed_point(double{fine_scale / out.scale()}));
  EDGE_ASSIGN(scales.gate, fixed_point(double{fine_scale / (3.f / 32768)}));
  if (scales.out.e > 0) {
    return invalid_model(format("its output's scale %g is too small for its input's %g",
                                double{out.scale()}, double{in.scale()}));
  }
  auto code = [&](int32_t q) { return hard_swish(q, scales); };
  fill_table(in.dtype, out.dtype, code, &state.table);
  return {};
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return x * std::min(std::max(x + 3.f, 0.f), 6.f) / 6.f; });
}

}  // namespace

extern const OpDef op_hard_swish{check, infer_unary, prepare, eval};

}  // namespace edge
