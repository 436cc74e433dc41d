// Pictures in NHWC order seen through a window: where each cell of it lies.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "ops/support/window.h"

namespace edge {

struct Picture {
  WindowAxis h, w;
  int batches = 0;
  size_t cell_bytes = 0;        // of one pixel: channels times the element size
  std::vector<uint8_t> filler;  // what a pixel outside of the picture holds, with room to read on

  // Pixel (y, x) of picture b, which may lie outside.
  const uint8_t* cell(const uint8_t* data, int b, int64_t y, int64_t x) const {
    if (y < 0 || y >= h.in || x < 0 || x >= w.in) return filler.data();
    return data + ((int64_t{b} * h.in + y) * w.in + x) * static_cast<int64_t>(cell_bytes);
  }
  size_t out_pixels() const {
    return static_cast<size_t>(batches) * static_cast<size_t>(h.out) * static_cast<size_t>(w.out);
  }
  size_t taps() const { return static_cast<size_t>(h.filter) * static_cast<size_t>(w.filter); }
  void fill(size_t bytes, uint8_t value) { filler.assign(bytes + kOverread, value); }
};

// Cuts `items` into at most `most` even chunks of at least `least` items (the last may be shorter).
struct Chunks {
  size_t size, count;
};
inline Chunks cut(size_t items, size_t least, size_t most) {
  if (items == 0) return {1, 0};
  size_t size = (items + most - 1) / (most ? most : 1);
  if (size < least) size = least;
  if (size > items) size = items;
  return {size, (items + size - 1) / size};
}

}  // namespace edge
