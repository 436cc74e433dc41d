#include "ops/support/unary.h"

namespace edge {

Status check_unary(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_output_as_input());
  for (const Value* v : {&op.in(0), &op.out(0)}) {
    EDGE_TRY(v->spec.dtype == DType::kInt16 ? expect_symmetric(*v) : op.expect_quantized(*v));
  }
  return {};
}

Status infer_unary(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = op.in(0).spec.shape;
  return {};
}

Status prepare_unary(PrepareContext& op, Unary* state) {
  state->type = op.in(0).spec.dtype;
  state->count = static_cast<size_t>(op.in(0).spec.shape.count());
  if (!is_8bit(state->type)) return {};
  Features features;
  EDGE_TRY(active_features(&features));
  state->lut = &elementwise::select(features, elementwise::Lut::kLut);
  op.kernel = state->lut->name;
  return {};
}

bool table_flips(const std::array<uint8_t, 256>& table) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i] != (i ^ table[0])) return false;
  }
  return true;
}

static void flip_bytes(const uint8_t* x, size_t n, uint8_t flip, uint8_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = x[i] ^ flip;
}

void eval_table(const EvalContext& run, const Unary& state) {
  if (!state.wide.empty()) {
    const int16_t* table = state.wide.data() + 32768;
    return map_unary<int16_t>(run, state.count, [table](int16_t q) { return table[q]; });
  }
  const uint8_t* x = run.in<uint8_t>(0);
  uint8_t* y = run.out<uint8_t>(0);
  for_chunks(run.pool(), state.count, [&](size_t begin, size_t end) {
    if (state.flips) return flip_bytes(x + begin, end - begin, state.table[0], y + begin);
    state.lut->run({end - begin, x + begin, state.table.data(), y + begin});
  });
}

}  // namespace edge
