// QUANTIZE: float32 to 8-bit codes, with one scale or one a channel, and codes to other codes.
#include "ops/support/convert.h"
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  Conversion from_float;
  Unary codes;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  EDGE_TRY(op.expect_output(0, {DType::kInt8, DType::kUInt8}));
  if (op.in(0).spec.dtype == DType::kFloat32) return check_codes(op.out(0).spec);
  EDGE_TRY(op.expect_quantized(op.in(0)));
  return op.expect_quantized(op.out(0));
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  if (in.dtype == DType::kFloat32) {
    return prepare_conversion(op, out, elementwise::Convert::kQuantizeI8,
                              elementwise::Convert::kQuantizeU8, &state.from_float);
  }
  EDGE_TRY(prepare_unary(op, &state.codes));
  EDGE_ASSIGN(const auto multiplier, fixed_point(double{in.scale()} / double{out.scale()}));
  auto code = [&](int32_t q) {
    return requantize::wrapping_add(rescale(q - in.zero_point(), multiplier), out.zero_point());
  };
  fill_table(in.dtype, out.dtype, code, &state.codes.table);
  // As int8 and uint8 of one scale do, by their sign bits.
  state.codes.flips = table_flips(state.codes.table);
  return {};
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  if (state.codes.lut) return eval_table(run, state.codes);
  eval_conversion(run, state.from_float, sizeof(float), 1);
}

}  // namespace

extern const OpDef op_quantize{check, infer_unary, prepare, eval};

}  // namespace edge
