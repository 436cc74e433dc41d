#include "ops/support/arithmetic.h"

#include <numeric>

namespace edge {
namespace {

// Integers have no scale: 6 is 6.
void integer_range(Activation activation, DType type, int64_t* low, int64_t* high) {
  const bool wide = type == DType::kInt64;
  *low = wide ? INT64_MIN : INT32_MIN;
  *high = wide ? INT64_MAX : INT32_MAX;
  if (activation == Activation::kRelu || activation == Activation::kRelu6) *low = 0;
  if (activation == Activation::kReluN1To1) *low = -1;
  if (activation == Activation::kRelu6) *high = 6;
  if (activation == Activation::kReluN1To1) *high = 1;
}

}  // namespace

Status prepare_arithmetic(PrepareContext& op, elementwise::OpF32 f32, Activation activation,
                          Arithmetic* state) {
  EDGE_ASSIGN(const FloatRange range, activation_range(activation));
  EDGE_TRY(prepare_binary(op, f32, range, state));
  integer_range(activation, state->type, &state->low, &state->high);
  return {};
}

Status prepare_8bit(PrepareContext& op, elementwise::Op8 signed8, elementwise::Op8 unsigned8,
                    elementwise::Params8 params, Arithmetic* state) {
  Features features;
  EDGE_TRY(active_features(&features));
  state->k8 = &elementwise::select(features, state->type == DType::kInt8 ? signed8 : unsigned8);
  if (state->shape.a_repeats) {
    std::swap(params.zero_a, params.zero_b);
    std::swap(params.sign_a, params.sign_b);
    std::swap(params.ma, params.mb);
  }
  state->params = params;
  // The proof that both kernels are the same function costs as much as some ten thousand elements.
  const elementwise::Kernel8& linear = elementwise::select(features, elementwise::Op8::kLinear);
  const bool sum = signed8 == elementwise::Op8::kAddI8;
  if (sum && linear.needs != kScalar && state->shape.count >= 4096 &&
      elementwise::make_linear(*state->k8, linear, &state->params)) {
    state->k8 = &linear;
  }
  op.kernel = state->k8->name;
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

void eval_8bit(const EvalContext& run, const Arithmetic& state) {
  uint8_t* out = run.out<uint8_t>(0);
  if (state.lut) {
    const uint8_t* x = run.in<uint8_t>(state.shape.a_repeats ? 1 : 0);
    return for_chunks(run.pool(), state.shape.count, [&](size_t begin, size_t end) {
      state.lut->run({end - begin, x + begin, state.table.data(), out + begin});
    });
  }
  for_blocks(run.pool(), state.shape, run.in<uint8_t>(0), run.in<uint8_t>(1),
             [&](Block<uint8_t> block) {
               if (state.shape.a_repeats) std::swap(block.a, block.b);
               const bool repeats = block.a_repeats || block.b_repeats;
               state.k8->run({block.n, block.a, block.b, repeats, out + block.out, &state.params});
             });
}

}  // namespace edge
