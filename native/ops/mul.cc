// MUL: a * b, broadcast, with a fused activation, which complex numbers have none of.
#include "ops/support/arithmetic.h"
#include "ops/support/complex.h"
#include "ops/support/fixed_point.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<MulAttributes>());
  EDGE_TRY(check_binary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                             DType::kInt32, DType::kUInt32, DType::kInt64, DType::kComplex64}));
  if (op.in(0).spec.dtype == DType::kComplex64 &&
      op.attributes<MulAttributes>().activation != Activation::kNone) {
    return invalid_model("complex numbers have no activation");
  }
  return plain_int16(op) ? Status() : check_binary_quantized(op);
}

Status prepare(PrepareContext& op) {
  const Activation activation = op.attributes<MulAttributes>().activation;
  Arithmetic& state = op.make_state<Arithmetic>();
  EDGE_TRY(prepare_arithmetic(op, elementwise::OpF32::kMul, activation, &state));
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
  EDGE_ASSIGN(p.mo, fixed_point(double{a.scale() * b.scale() / out.scale()}));
  if (p.mo.e > 31) p.mo.e &= 31;  // as rescale() does it
  p.min = range.low;
  p.max = range.high;
  using elementwise::Op8;
  return prepare_codes(op, {Op8::kMulI8, Op8::kMulU8, Op8::kMulI16}, p, &state);
}

void eval(const EvalContext& run) {
  const Arithmetic& state = run.state<Arithmetic>();
  if (state.type == DType::kComplex64) {
    using Number = ComplexOf<float>;
    return map_binary<Number>(run, state.shape, [](Number a, Number b) {
      return Number{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    });
  }
  eval_arithmetic(run, [](auto a, auto b) { return a * b; });
}

}  // namespace

extern const OpDef op_mul{check,           infer_binary,         prepare,          eval, nullptr,
                          /*alias=*/false, /*shape_only=*/false, /*in_place=*/true};

}  // namespace edge
