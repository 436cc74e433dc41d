#include "ops/support/add_sub.h"

#include <cmath>

#include "ops/support/fixed_point.h"

namespace edge {
namespace {

// Codes are brought to a common scale, twice the larger one, with more bits: 20, or 15 for int16.
double fine(const OpView& op) { return op.out(0).spec.dtype == DType::kInt16 ? 1 << 15 : 1 << 20; }

double common_scale(const OpView& op) {
  return 2.0 * double{std::max(op.in(0).spec.scale(), op.in(1).spec.scale())};
}

// From the common scale to the output's.
double output_factor(const OpView& op) {
  return common_scale(op) / (fine(op) * double{op.out(0).spec.scale()});
}

// The exponents of both inputs' scales less that of the output's, where all are powers of two (or
// so near to one that TFLite takes them for it).
struct Exponents {
  bool whole = true;
  int a = 0, b = 0;
};
Exponents exponents(const OpView& op) {
  Exponents e;
  const auto exponent = [&](const Value& v) {
    const float log = std::log(v.spec.scale()) * (1.0f / std::log(2.0f));
    const float rounded = std::round(log);
    e.whole = e.whole && std::fabs(log - rounded) < 1e-3f;
    return static_cast<int>(rounded);
  };
  const int out = exponent(op.out(0));
  e.a = exponent(op.in(0)) - out;
  e.b = exponent(op.in(1)) - out;
  return e;
}

}  // namespace

Status check_add_sub(const OpView& op, bool shifts) {
  EDGE_TRY(check_binary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                             DType::kInt32, DType::kInt64}));
  const DType type = op.out(0).spec.dtype;
  if (type != DType::kInt8 && type != DType::kUInt8 && type != DType::kInt16) return {};
  if (plain_int16(op)) return {};
  EDGE_TRY(check_binary_quantized(op));
  if (type == DType::kInt16 && shifts) {
    const Exponents e = exponents(op);
    if (e.whole && (std::max(e.a, e.b) != 0 || std::min(e.a, e.b) < -15)) {
      return invalid_model("its scales are powers of two, and its output's not the larger input's");
    }
    if (e.whole) return {};
  }
  // TFLite's reference aborts here.
  if (output_factor(op) >= 1) {
    return invalid_model(format("its output's scale %g is too small for inputs of %g and %g",
                                double{op.out(0).spec.scale()}, double{op.in(0).spec.scale()},
                                double{op.in(1).spec.scale()}));
  }
  return {};
}

Status prepare_add_sub(PrepareContext& op, int sign, Activation activation, bool shifts) {
  Arithmetic& state = op.make_state<Arithmetic>();
  const auto f32 = sign > 0 ? elementwise::OpF32::kAdd : elementwise::OpF32::kSub;
  EDGE_TRY(prepare_arithmetic(op, f32, activation, &state));
  if (state.type != DType::kInt8 && state.type != DType::kUInt8 && state.type != DType::kInt16) {
    return {};
  }
  if (plain_int16(op)) return {};
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
  if (state.type == DType::kInt16 && shifts) {
    const Exponents e = exponents(op);
    state.shifts = e.whole;
    state.shift_a = -e.a;
    state.shift_b = -e.b;
    state.params = p;
    if (e.whole) return {};
  }
  using elementwise::Op8;
  return prepare_codes(op, {Op8::kAddI8, Op8::kAddU8, Op8::kAddI16}, p, &state);
}

}  // namespace edge
