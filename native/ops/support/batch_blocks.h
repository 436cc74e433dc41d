// SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: cell (y, x) of a picture with a border is cell
// (y / bh, x / bw) of the small picture (y % bh, x % bw), all of which lie along the batch axis.
#pragma once

#include "ops/op.h"

namespace edge {

struct BatchBlocks {
  int64_t batches = 0, height = 0, width = 0;  // of the picture
  int64_t rows = 0, columns = 0;               // of a small picture
  int64_t block_h = 1, block_w = 1;
  int64_t top = 0, left = 0;  // cells of border, where they are not cropped
  size_t cell = 0;            // bytes of all channels
  size_t element = 0;
  uint8_t border = 0;  // each byte outside of the picture

  // Numbers of cells, -1 for what lies in the border.
  int64_t small_cell(int64_t batch, int64_t y, int64_t x) const {
    const int64_t number = ((y + top) % block_h) * block_w + (x + left) % block_w;
    return ((number * batches + batch) * rows + (y + top) / block_h) * columns +
           (x + left) / block_w;
  }
  int64_t picture_cell(int64_t small, int64_t row, int64_t column) const {
    const int64_t number = small / batches;
    const int64_t y = row * block_h + number / block_w - top;
    const int64_t x = column * block_w + number % block_w - left;
    if (y < 0 || y >= height || x < 0 || x >= width) return -1;
    return (small % batches * height + y) * width + x;
  }
};

Status check_batch_blocks(const OpView& op);
Status infer_space_to_batch(const OpView& op, std::vector<Shape>* shapes);
Status infer_batch_to_space(const OpView& op, std::vector<Shape>* shapes);

// `picture` and `small` are the input's and the output's shapes, in the op's order.
Status prepare_batch_blocks(PrepareContext& op, const Shape& picture, const Shape& small);

}  // namespace edge
