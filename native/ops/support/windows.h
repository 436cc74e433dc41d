// What the output pixels of a convolution see, as pointers for a matrix product.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/support/picture.h"

namespace edge {

// A product takes windows as `taps` runs of bytes, each behind a pointer of its own.
//   kDense  one cell, and each output pixel sees the input pixel of its own number
//   kTaps   a tap for each cell of the window
//   kRuns   a tap for each row of the window, whose cells are neighbours; those that the border of
//           the picture cuts are copied together
//   kFlat   one tap: all windows are copied together
enum class Gather : uint8_t { kDense, kTaps, kRuns, kFlat };

struct Windows {
  Picture picture;
  size_t depth_bytes = 0;  // of a cell: one group of channels
  size_t block_rows = 1;   // windows that are gathered at once
  Gather how = Gather::kTaps;

  size_t run_bytes() const { return static_cast<size_t>(picture.w.filter) * depth_bytes; }
  size_t taps() const;       // pointers of a window
  size_t tap_bytes() const;  // behind each
  // Memory for copies.
  size_t copy_bytes() const;
};

// The cheapest way for a kernel that takes each tap in steps of `step` bytes.
Gather choose_gather(const Windows& windows, size_t step);

// pointers[t * block_rows + i] = tap t of output pixel `first` + i, from byte `offset` of a pixel
// on; `rows` <= block_rows pixels. The picture's filler must hold run_bytes(). `input` are the rows
// of the first picture that these pixels see, or all rows, where further pictures may follow.
void gather(const Windows& windows, const Rows& input, size_t offset, size_t first, size_t rows,
            uint8_t* copies, const uint8_t** pointers);

}  // namespace edge
