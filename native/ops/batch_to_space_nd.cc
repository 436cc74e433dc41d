// BATCH_TO_SPACE_ND: a picture put together again from what SPACE_TO_BATCH_ND makes of it, cropped.
#include <cstring>

#include "ops/support/batch_blocks.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) {
  return prepare_batch_blocks(op, op.out(0).spec.shape, op.in(0).spec.shape);
}

void eval(const EvalContext& run) {
  const BatchBlocks& b = run.state<BatchBlocks>();
  if (b.cell == 0) return;
  uint8_t* out = run.out<uint8_t>(0);
  for (int64_t batch = 0; batch < b.batches; ++batch) {
    for (int64_t y = 0; y < b.height; ++y) {
      for (int64_t x = 0; x < b.width; ++x, out += b.cell) {
        const size_t from = static_cast<size_t>(b.small_cell(batch, y, x));
        std::memcpy(out, run.in<uint8_t>(0) + from * b.cell, b.cell);
      }
    }
  }
}

}  // namespace

extern const OpDef op_batch_to_space_nd{check_batch_blocks, infer_batch_to_space, prepare, eval};

}  // namespace edge
