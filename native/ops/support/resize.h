// What RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR share: pictures in NHWC order, and the new
// height and width in input 1.
#pragma once

#include <functional>

#include "ops/op.h"

namespace edge {

struct ResizeShape {
  int64_t batches = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
};

Status check_resize(const OpView& op, std::initializer_list<DType> types);
Status infer_resize(const OpView& op, std::vector<Shape>* shapes);
// Shapes are final; without elements of the output all extents are 0.
ResizeShape resize_shape(const OpView& op);

// Calls row(b, y, worker) for each row of the output, in parallel where that pays.
void for_each_row(const EvalContext& run, const ResizeShape& shape,
                  const std::function<void(int64_t b, int64_t y, int worker)>& row);

}  // namespace edge
