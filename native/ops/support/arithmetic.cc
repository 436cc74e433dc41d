#include "ops/support/arithmetic.h"

#include <algorithm>
#include <numeric>

#include "ops/support/by_type.h"
#include "ops/support/fixed_point.h"

namespace edge {
namespace {

// Integers have no scale: 6 is 6.
void integer_range(Activation activation, DType type, int64_t* low, int64_t* high) {
  by_type<int16_t, int32_t, uint32_t, int64_t>(type, [&](auto of) {
    *low = std::numeric_limits<decltype(of)>::min();
    *high = std::numeric_limits<decltype(of)>::max();
  });
  if (activation == Activation::kRelu || activation == Activation::kRelu6) *low = 0;
  if (activation == Activation::kReluN1To1) *low = type == DType::kUInt32 ? 0 : -1;
  if (activation == Activation::kRelu6) *high = 6;
  if (activation == Activation::kReluN1To1) *high = 1;
}

}  // namespace

bool plain_int16(const OpView& op) {
  for (const Value* v : {&op.in(0), &op.in(1), &op.out(0)}) {
    if (v->spec.dtype != DType::kInt16 || !v->spec.quant.scale.empty()) return false;
  }
  return true;
}

Status prepare_arithmetic(PrepareContext& op, elementwise::OpF32 f32, Activation activation,
                          Arithmetic* state) {
  EDGE_ASSIGN(const FloatRange range, activation_range(activation));
  EDGE_TRY(prepare_binary(op, f32, range, state));
  integer_range(activation, state->type, &state->low, &state->high);
  return {};
}

Status prepare_codes(PrepareContext& op, const CodeKernels& kernels, elementwise::Params8 params,
                     Arithmetic* state) {
  Features features;
  EDGE_TRY(active_features(&features));
  const elementwise::Op8 kernel = state->type == DType::kInt8    ? kernels.i8
                                  : state->type == DType::kUInt8 ? kernels.u8
                                                                 : kernels.i16;
  state->k8 = &elementwise::select(features, kernel);
  if (state->shape.a_repeats) {
    std::swap(params.zero_a, params.zero_b);
    std::swap(params.sign_a, params.sign_b);
    std::swap(params.ma, params.mb);
  }
  state->params = params;
  op.kernel = state->k8->name;
  if (state->type == DType::kInt16) return {};
  // The proof that both kernels are the same function costs as much as some ten thousand elements.
  const elementwise::Kernel8& linear = elementwise::select(features, elementwise::Op8::kLinear);
  const bool sum = kernels.i8 == elementwise::Op8::kAddI8;
  if (sum && linear.needs != kScalar && state->shape.count >= 4096 &&
      elementwise::make_linear(*state->k8, linear, &state->params)) {
    state->k8 = &linear;
    op.kernel = linear.name;
  }
  const Value& repeated = op.in(state->shape.a_repeats ? 0 : 1);
  if (repeated.constant && repeated.spec.shape.count() == 1) {
    std::array<uint8_t, 256> codes;
    std::iota(codes.begin(), codes.end(), uint8_t{0});
    state->k8->run(
        {256, codes.data(), repeated.data.data(), true, state->table.data(), &state->params});
    state->lut = &elementwise::select(features, elementwise::Lut::kLut);
    op.kernel = state->lut->name;
  }
  return {};
}

template <typename T>
static void eval_blocks(const EvalContext& run, const Arithmetic& state) {
  T* out = run.out<T>(0);
  for_blocks(run.pool(), state.shape, run.in<T>(0), run.in<T>(1), [&](Block<T> block) {
    if (state.shape.a_repeats) std::swap(block.a, block.b);
    const bool repeats = block.a_repeats || block.b_repeats;
    state.k8->run({block.n, block.a, block.b, repeats, out + block.out, &state.params});
  });
}

// a / 2^shift_a + sign * b / 2^shift_b, rounded half away from zero, saturated.
static void eval_shifts(const EvalContext& run, const Arithmetic& state) {
  const elementwise::Params8& p = state.params;
  map_binary<int16_t>(run, state.shape, [&](int16_t a, int16_t b) {
    const int32_t sum = round_shift(a, state.shift_a) + p.sign_b * round_shift(b, state.shift_b);
    return static_cast<int16_t>(std::clamp(std::clamp(sum, INT16_MIN, INT16_MAX), p.min, p.max));
  });
}

void eval_codes(const EvalContext& run, const Arithmetic& state) {
  if (state.shifts) return eval_shifts(run, state);
  if (state.type == DType::kInt16) return eval_blocks<int16_t>(run, state);
  if (!state.lut) return eval_blocks<uint8_t>(run, state);
  const uint8_t* x = run.in<uint8_t>(state.shape.a_repeats ? 1 : 0);
  uint8_t* out = run.out<uint8_t>(0);
  for_chunks(run.pool(), state.shape.count, [&](size_t begin, size_t end) {
    state.lut->run({end - begin, x + begin, state.table.data(), out + begin});
  });
}

}  // namespace edge
