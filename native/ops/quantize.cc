// QUANTIZE: float32 to codes, with one scale or one a channel, and codes to other codes.
#include <limits>

#include "ops/support/convert.h"
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  Conversion from_float;
  Unary codes;  // from 8 bits to 8 bits
  // From and to others.
  void (*requantize)(const EvalContext& run, const State& state) = nullptr;
  int32_t in_zero = 0, out_zero = 0;
  requantize::Multiplier multiplier{};
};

template <typename From, typename To>
void requantize_codes(const EvalContext& run, const State& s) {
  const From* x = run.in<From>(0);
  To* y = run.out<To>(0);
  constexpr int32_t kLow = std::numeric_limits<To>::min(), kHigh = std::numeric_limits<To>::max();
  for_chunks(run.pool(), s.codes.count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const int32_t q = requantize::wrapping_add(x[i], -s.in_zero);
      const int32_t v = requantize::wrapping_add(rescale(q, s.multiplier), s.out_zero);
      y[i] = static_cast<To>(std::min(std::max(v, kLow), kHigh));
    }
  });
}

// Null where TFLite has no such pair, or where it is a table.
auto find_requantize(DType from, DType to) -> void (*)(const EvalContext&, const State&) {
  const bool wide = to == DType::kInt16;
  switch (from) {
    case DType::kInt8:
      return wide ? requantize_codes<int8_t, int16_t> : nullptr;
    case DType::kUInt8:
      return wide ? requantize_codes<uint8_t, int16_t> : nullptr;
    case DType::kInt16:
      if (to == DType::kInt8) return requantize_codes<int16_t, int8_t>;
      if (to == DType::kInt32) return requantize_codes<int16_t, int32_t>;
      return wide ? requantize_codes<int16_t, int16_t> : nullptr;
    case DType::kInt32:
      if (to == DType::kInt8) return requantize_codes<int32_t, int8_t>;
      return wide ? requantize_codes<int32_t, int16_t> : nullptr;
    default:
      return nullptr;
  }
}

Status check_side(const OpView& op, const Value& v) {
  if (is_8bit(v.spec.dtype)) return op.expect_quantized(v);
  if (v.spec.quant.scale.size() != 1) return invalid_model("it does not have one scale a tensor");
  return v.spec.dtype == DType::kInt16 ? check_codes(v.spec) : check_scales(v.spec.quant, "it");
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32}));
  const DType from = op.in(0).spec.dtype, to = op.out(0).spec.dtype;
  if (from == DType::kFloat32) {
    EDGE_TRY(op.expect_output(0, {DType::kInt8, DType::kUInt8, DType::kInt16}));
    return check_codes(op.out(0).spec);
  }
  if (!(is_8bit(from) && is_8bit(to)) && !find_requantize(from, to)) {
    return unsupported(format("from %s to %s", dtype_name(from), dtype_name(to)));
  }
  EDGE_TRY(check_side(op, op.in(0)));
  return check_side(op, op.out(0));
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  if (in.dtype == DType::kFloat32) {
    using elementwise::Convert;
    state.from_float.out_size = dtype_size(out.dtype);
    return prepare_conversion(op, out,
                              {Convert::kQuantizeI8, Convert::kQuantizeU8, Convert::kQuantizeI16},
                              &state.from_float);
  }
  EDGE_TRY(prepare_unary(op, &state.codes));
  EDGE_ASSIGN(state.multiplier, fixed_point(double{in.scale()} / double{out.scale()}));
  state.in_zero = in.zero_point();
  state.out_zero = out.zero_point();
  state.requantize = find_requantize(in.dtype, out.dtype);
  if (state.requantize) return {};
  auto code = [&](int32_t q) {
    return requantize::wrapping_add(rescale(q - in.zero_point(), state.multiplier),
                                    out.zero_point());
  };
  fill_table(in.dtype, out.dtype, code, &state.codes.table);
  // As int8 and uint8 of one scale do, by their sign bits.
  state.codes.flips = table_flips(state.codes.table);
  return {};
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  if (state.requantize) return state.requantize(run, state);
  if (state.codes.lut) return eval_table(run, state.codes);
  eval_conversion(run, state.from_float, run.in<uint8_t>(0));
}

}  // namespace

extern const OpDef op_quantize{check, infer_unary, prepare, eval};

}  // namespace edge
