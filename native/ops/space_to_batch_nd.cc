// SPACE_TO_BATCH_ND: a picture with a border, cut into small ones of every block_h-th row and
// block_w-th column.
#include <cstring>

#include "ops/support/batch_blocks.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) {
  return prepare_batch_blocks(op, op.in(0).spec.shape, op.out(0).spec.shape);
}

void eval(const EvalContext& run) {
  const BatchBlocks& b = run.state<BatchBlocks>();
  if (b.cell == 0) return;
  uint8_t* out = run.out<uint8_t>(0);
  for (int64_t small = 0; small < b.batches * b.block_h * b.block_w; ++small) {
    for (int64_t row = 0; row < b.rows; ++row) {
      for (int64_t column = 0; column < b.columns; ++column, out += b.cell) {
        const int64_t from = b.picture_cell(small, row, column);
        if (from < 0) {
          std::memset(out, b.border, b.cell);
        } else {
          std::memcpy(out, run.in<uint8_t>(0) + static_cast<size_t>(from) * b.cell, b.cell);
        }
      }
    }
  }
}

}  // namespace

extern const OpDef op_space_to_batch_nd{check_batch_blocks, infer_space_to_batch, prepare, eval};

}  // namespace edge
