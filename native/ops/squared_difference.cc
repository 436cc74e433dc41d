// SQUARED_DIFFERENCE: (a - b)^2, broadcast.
#include "ops/support/binary.h"
#include "ops/support/fixed_point.h"

namespace edge {
namespace {

constexpr int kFineBits = 7;  // more bits for the difference of codes

struct State : Binary {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  requantize::Multiplier a{}, b{}, out{};
};

// From the square of the common scale, twice the larger of the two, to the output's.
double output_factor(const OpView& op) {
  const double common = 2.0 * double{std::max(op.in(0).spec.scale(), op.in(1).spec.scale())};
  return common * common / (double{1 << (2 * kFineBits)} * double{op.out(0).spec.scale()});
}

Status check(const OpView& op) {
  EDGE_TRY(check_binary(op, {DType::kFloat32, DType::kInt8, DType::kInt32}));
  EDGE_TRY(check_binary_quantized(op));
  if (op.out(0).spec.dtype != DType::kInt8) return {};
  // TFLite's reference aborts here.
  if (output_factor(op) >= 1) {
    return invalid_model(format("its output's scale %g is too small for inputs of %g and %g",
                                double{op.out(0).spec.scale()}, double{op.in(0).spec.scale()},
                                double{op.in(1).spec.scale()}));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  EDGE_TRY(prepare_binary(op, &state));
  if (state.type != DType::kInt8) return {};
  const TensorSpec &a = op.in(0).spec, &b = op.in(1).spec, &out = op.out(0).spec;
  const double common = 2.0 * double{std::max(a.scale(), b.scale())};
  state.zero_a = a.zero_point();
  state.zero_b = b.zero_point();
  state.zero_out = out.zero_point();
  EDGE_ASSIGN(state.a, fixed_point(double{a.scale()} / common));
  EDGE_ASSIGN(state.b, fixed_point(double{b.scale()} / common));
  EDGE_ASSIGN(state.out, fixed_point(output_factor(op)));
  return {};
}

void eval_codes(const EvalContext& run, const State& s) {
  map_binary<int8_t>(run, s.shape, [&](int8_t a, int8_t b) {
    const int32_t x = rescale((a - s.zero_a) * (1 << kFineBits), s.a);
    const int32_t y = rescale((b - s.zero_b) * (1 << kFineBits), s.b);
    const int32_t v = rescale((x - y) * (x - y), s.out) + s.zero_out;
    return static_cast<int8_t>(std::min(std::max(v, INT8_MIN), INT8_MAX));
  });
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  switch (state.type) {
    case DType::kInt8:
      return eval_codes(run, state);
    case DType::kInt32:  // unsigned: overflow wraps
      return map_binary<int32_t>(run, state.shape, [](int32_t a, int32_t b) {
        const uint32_t d = static_cast<uint32_t>(a) - static_cast<uint32_t>(b);
        return static_cast<int32_t>(d * d);
      });
    default:
      return map_binary<float>(run, state.shape,
                               [](float a, float b) { return (a - b) * (a - b); });
  }
}

}  // namespace

extern const OpDef op_squared_difference{check, infer_binary, prepare, eval};

}  // namespace edge
