// Pictures in NHWC order seen through a window: where each cell of it lies.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "ops/op.h"
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

// The picture of a convolution, NHWC input 0 under the h x w cells of the filter, input 1
// [.,h,w,.]. Both have 4 dimensions. `a`: Conv2DAttributes or DepthwiseConv2DAttributes.
template <typename Attributes>
Result<Picture> make_picture(const OpView& op, const Attributes& a) {
  const Shape& x = op.in(0).spec.shape;
  const Shape& w = op.in(1).spec.shape;
  const Border& b = op.node().border;
  Picture p;
  EDGE_ASSIGN(p.h, make_window(x[1], w[1], a.stride_h, a.dilation_h, a.padding, b.top, b.bottom));
  EDGE_ASSIGN(p.w, make_window(x[2], w[2], a.stride_w, a.dilation_w, a.padding, b.left, b.right));
  p.batches = x[0];
  p.cell_bytes = static_cast<size_t>(x[3]) * dtype_size(op.in(0).spec.dtype);
  return p;
}

}  // namespace edge
