// PRELU: x where it is positive, alpha * x elsewhere; alpha is broadcast to x. That of int16 is
// int8.
#include <limits>

#include "ops/support/binary.h"
#include "ops/support/fixed_point.h"

namespace edge {
namespace {

struct State : Binary {
  int32_t zero_x = 0, zero_alpha = 0, zero_out = 0;
  requantize::Multiplier plain{}, leaky{};
};

Status check(const OpView& op) {
  if (op.input_count() == 2 && op.has_input(0) && op.in(0).spec.dtype == DType::kInt16) {
    EDGE_TRY(op.expect_arity(2, 2, 1));
    EDGE_TRY(op.expect_input(1, {DType::kInt8}));
    EDGE_TRY(op.expect_output_as_input());
  } else {
    EDGE_TRY(check_binary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  }
  return check_binary_quantized(op);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_TRY(infer_binary(op, shapes));
  if ((*shapes)[0] == op.in(0).spec.shape) return {};
  return invalid_model(format("alpha of shape %s does not fit input %s",
                              to_string(op.in(1).spec.shape).c_str(),
                              to_string(op.in(0).spec.shape).c_str()));
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EDGE_TRY(prepare_binary(op, elementwise::OpF32::kPrelu, {-kInfinity, kInfinity}, &state));
  if (state.type == DType::kFloat32) return {};
  const TensorSpec &x = op.in(0).spec, &alpha = op.in(1).spec, &out = op.out(0).spec;
  state.zero_x = x.zero_point();
  state.zero_alpha = alpha.zero_point();
  state.zero_out = out.zero_point();
  EDGE_ASSIGN(state.plain, fixed_point(double{x.scale() / out.scale()}));
  EDGE_ASSIGN(state.leaky, fixed_point(double{x.scale() * alpha.scale() / out.scale()}));
  return {};
}

template <typename T, typename Alpha = T>
void eval_codes(const EvalContext& run, const State& s) {
  map_binary<T, T, Alpha>(run, s.shape, [&](T x, Alpha alpha) {
    const int32_t v = x - s.zero_x;
    const int32_t y = v >= 0 ? rescale(v, s.plain) : rescale(v * (alpha - s.zero_alpha), s.leaky);
    const int32_t code = requantize::wrapping_add(y, s.zero_out);
    return static_cast<T>(std::min<int32_t>(std::max<int32_t>(code, std::numeric_limits<T>::min()),
                                            std::numeric_limits<T>::max()));
  });
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  switch (state.type) {
    case DType::kInt8:
      return eval_codes<int8_t>(run, state);
    case DType::kUInt8:
      return eval_codes<uint8_t>(run, state);
    case DType::kInt16:
      return eval_codes<int16_t, int8_t>(run, state);
    default:
      return eval_f32(run, state);
  }
}

}  // namespace

extern const OpDef op_prelu{
    check, infer, prepare, eval, nullptr, /*alias=*/false, /*shape_only=*/false, /*in_place=*/true};

}  // namespace edge
