#include "ops/support/add_sub.h"

#include "ops/support/fixed_point.h"

namespace edge {
namespace {

// Codes are brought to a common scale, twice the larger one, with 20 bits more.
constexpr double kFine = 1 << 20;

double common_scale(const OpView& op) {
  return 2.0 * double{std::max(op.in(0).spec.scale(), op.in(1).spec.scale())};
}

// From the common scale to the output's.
double output_factor(const OpView& op) {
  return common_scale(op) / (kFine * double{op.out(0).spec.scale()});
}

}  // namespace

Status check_add_sub(const OpView& op) {
  EDGE_TRY(check_binary(
      op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt32, DType::kInt64}));
  if (op.out(0).spec.dtype != DType::kInt8 && op.out(0).spec.dtype != DType::kUInt8) return {};
  EDGE_TRY(check_binary_quantized(op));
  // TFLite's reference aborts here.
  if (output_factor(op) >= 1) {
    return invalid_model(format("its output's scale %g is too small for inputs of %g and %g",
                                double{op.out(0).spec.scale()}, double{op.in(0).spec.scale()},
                                double{op.in(1).spec.scale()}));
  }
  return {};
}

Status prepare_add_sub(PrepareContext& op, int sign, Activation activation) {
  Arithmetic& state = op.make_state<Arithmetic>();
  const auto f32 = sign > 0 ? elementwise::OpF32::kAdd : elementwise::OpF32::kSub;
  EDGE_TRY(prepare_arithmetic(op, f32, activation, &state));
  if (state.type != DType::kInt8 && state.type != DType::kUInt8) return {};
  const TensorSpec &a = op.in(0).spec, &b = op.in(1).spec, &out = op.out(0).spec;
  EDGE_ASSIGN(const Range range, activation_range(activation, out));
  elementwise::Params8 p{};
  p.zero_a = a.zero_point();
  p.zero_b = b.zero_point();
  p.zero_out = out.zero_point();
  p.sign_a = 1;
  p.sign_b = sign;
  EDGE_ASSIGN(p.ma, fixed_point(double{a.scale()} / common_scale(op)));
  EDGE_ASSIGN(p.mb, fixed_point(double{b.scale()} / common_scale(op)));
  EDGE_ASSIGN(p.mo, fixed_point(output_factor(op)));
  p.min = range.low;
  p.max = range.high;
  return prepare_8bit(op, elementwise::Op8::kAddI8, elementwise::Op8::kAddU8, p, &state);
}

}  // namespace edge
