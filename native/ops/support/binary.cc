#include "ops/support/binary.h"

namespace edge {

Status check_binary(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_input(1, types));
  if (op.in(0).spec.dtype != op.in(1).spec.dtype) {
    return invalid_model(format("its inputs are %s and %s, they must be of one type",
                                dtype_name(op.in(0).spec.dtype), dtype_name(op.in(1).spec.dtype)));
  }
  return op.expect_output_as_input();
}

Status check_binary_quantized(const OpView& op) {
  for (const Value* v : {&op.in(0), &op.in(1), &op.out(0)}) {
    EDGE_TRY(v->spec.dtype == DType::kInt16 ? expect_symmetric(*v) : op.expect_quantized(*v));
  }
  return {};
}

Status infer_binary(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN((*shapes)[0], broadcast_shape(op.in(0).spec.shape, op.in(1).spec.shape));
  return {};
}

Status prepare_binary(PrepareContext& op, Binary* state) {
  state->type = op.in(0).spec.dtype;
  state->shape = make_broadcast(op.in(0).spec.shape, op.in(1).spec.shape);
  state->count_b = static_cast<size_t>(op.in(1).spec.shape.count());
  return {};
}

Status prepare_binary(PrepareContext& op, elementwise::OpF32 kernel, FloatRange range,
                      Binary* state) {
  EDGE_TRY(prepare_binary(op, state));
  if (state->type != DType::kFloat32) return {};
  state->f32_range = range;
  Features features;
  EDGE_TRY(active_features(&features));
  state->f32 = &elementwise::select(features, kernel);
  op.kernel = state->f32->name;
  return {};
}

void eval_f32(const EvalContext& run, const Binary& state) {
  const FloatRange range = state.f32_range;
  float* out = run.out<float>(0);
  for_blocks(run.pool(), state.shape, run.in<float>(0), run.in<float>(1),
             [&](const Block<float>& block) {
               state.f32->run({block.n, block.a, block.b, block.a_repeats, block.b_repeats,
                               out + block.out, range.low, range.high});
             });
}

}  // namespace edge
