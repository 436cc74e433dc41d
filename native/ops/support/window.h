// The geometry of a sliding window along one axis.
#pragma once

#include <algorithm>
#include <cstdint>

#include "graph/graph.h"

namespace edge {

struct WindowAxis {
  int in = 0, out = 0;  // cells
  int filter = 0, stride = 1, dilation = 1;
  int before = 0;  // cells outside of the picture before the first

  int64_t extent() const { return int64_t{dilation} * (filter - 1) + 1; }  // of the window
  int64_t shared() const {  // cells that two neighbouring windows both see, none outside
    return std::clamp<int64_t>(extent() - stride, 0, in);
  }
};

// Output extent and leading padding as TFLite computes them (SAME: out = ceil(in / stride), the odd
// cell of padding goes behind). `before` and `after` are a border fused from a PAD. Errors:
// kInvalidModel for strides, filters and dilations below 1 and for windows larger than the picture.
inline Result<WindowAxis> make_window(int in, int filter, int stride, int dilation, Padding padding,
                                      int before, int after) {
  if (stride < 1 || filter < 1 || dilation < 1) {
    return invalid_model(format("stride %d, filter %d and dilation %d must be at least 1", stride,
                                filter, dilation));
  }
  const int64_t extent = int64_t{dilation} * (filter - 1) + 1;
  const int64_t padded = int64_t{in} + before + after;
  WindowAxis w;
  w.in = in;
  w.filter = filter;
  w.stride = stride;
  w.dilation = dilation;
  int64_t out, lead = before;
  if (padding == Padding::kSame) {
    out = (padded + stride - 1) / stride;
    lead += std::max<int64_t>((out - 1) * stride + extent - padded, 0) / 2;
  } else {
    out = (padded - extent + stride) / stride;
  }
  if (extent > INT32_MAX || out < 0 || (padded < extent && padding == Padding::kValid)) {
    return invalid_model(format("a window of %lld cells does not fit %lld",
                                static_cast<long long>(extent), static_cast<long long>(padded)));
  }
  w.out = static_cast<int>(out);
  w.before = static_cast<int>(lead);
  return w;
}

}  // namespace edge
