// DEQUANTIZE: codes of 8 or 16 bits, with one scale or one a channel, or float16 to float32.
#include "ops/support/convert.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat16}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return op.in(0).spec.dtype == DType::kFloat16 ? Status() : check_codes(op.in(0).spec);
}

Status prepare(PrepareContext& op) {
  Conversion& state = op.make_state<Conversion>();
  if (op.in(0).spec.dtype == DType::kFloat16) {
    state.inner = static_cast<size_t>(op.in(0).spec.shape.count());
    return {};
  }
  using elementwise::Convert;
  state.in_size = dtype_size(op.in(0).spec.dtype);
  return prepare_conversion(
      op, op.in(0).spec, {Convert::kDequantizeI8, Convert::kDequantizeU8, Convert::kDequantizeI16},
      &state);
}

void eval(const EvalContext& run) {
  const Conversion& state = run.state<Conversion>();
  if (state.kernel) return eval_conversion(run, state);
  for_chunks(run.pool(), state.inner, [&](size_t begin, size_t end) {
    elementwise::half_to_float(end - begin, run.in<uint16_t>(0) + begin, run.out<float>(0) + begin);
  });
}

}  // namespace

extern const OpDef op_dequantize{check, infer_unary, prepare, eval};

}  // namespace edge
