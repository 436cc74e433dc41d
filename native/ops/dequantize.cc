// DEQUANTIZE: codes of 8 or 16 bits, constants of 4, with one scale or one a channel, or floats of
// 16 bits, to float32.
#include "ops/support/convert.h"
#include "ops/support/half.h"
#include "ops/support/int4.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State : Conversion {
  bool ieee = false;              // of floats: which ones
  std::vector<uint8_t> unpacked;  // of 4 bits
};

TensorSpec as_int8(TensorSpec spec) {
  spec.dtype = DType::kInt8;
  return spec;
}

template <typename T>
void widen(const EvalContext& run, size_t count) {
  const T* x = run.in<T>(0);
  float* y = run.out<float>(0);
  for_chunks(run.pool(), count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) y[i] = to_float(x[i]);
  });
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat16,
                               DType::kBFloat16, DType::kInt4}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  if (is_half_type(op.in(0).spec.dtype)) return {};
  if (op.in(0).spec.dtype != DType::kInt4) return check_codes(op.in(0).spec);
  if (!op.in(0).constant) return unsupported("int4 that is no constant");
  return check_codes(as_int8(op.in(0).spec));
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  if (is_half_type(op.in(0).spec.dtype)) {
    state.ieee = op.in(0).spec.dtype == DType::kFloat16;
    state.inner = static_cast<size_t>(op.in(0).spec.shape.count());
    return {};
  }
  using elementwise::Convert;
  TensorSpec codes = op.in(0).spec;
  if (codes.dtype == DType::kInt4) {
    bytes_of_codes(op.in(0), &state.unpacked);
    codes = as_int8(codes);
  }
  state.in_size = dtype_size(codes.dtype);
  return prepare_conversion(
      op, codes, {Convert::kDequantizeI8, Convert::kDequantizeU8, Convert::kDequantizeI16}, &state);
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  if (state.kernel) {
    const bool packed = !state.unpacked.empty();
    return eval_conversion(run, state, packed ? state.unpacked.data() : run.in<uint8_t>(0));
  }
  return state.ieee ? widen<Half>(run, state.inner) : widen<BFloat16>(run, state.inner);
}

}  // namespace

extern const OpDef op_dequantize{check, infer_unary, prepare, eval};

}  // namespace edge
