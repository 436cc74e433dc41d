// RESIZE_NEAREST_NEIGHBOR: y[b, i, j, c] = x[b, source(i), source(j), c] with
//   source(i) = floor((i + h) * s), s = in / out, h = 0.5 for half-pixel centres and 0 otherwise;
//   with aligned corners s = (in - 1) / (out - 1) and the product is rounded half away from zero,
// in float32, cut at the last element.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/support/resize.h"

namespace edge {
namespace {

struct State {
  ResizeShape shape;
  std::vector<int64_t> rows, cols;  // of the input, per row and column of the output
  size_t cell = 0;                  // bytes of a pixel
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<ResizeNearestNeighborAttributes>());
  return check_resize(op,
                      {DType::kFloat32, DType::kFloat16, DType::kInt8, DType::kUInt8, DType::kInt16,
                       DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kBool});
}

std::vector<int64_t> sources(int64_t in, int64_t out, bool align, bool half) {
  const float scale = align && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                       : static_cast<float>(in) / static_cast<float>(out);
  std::vector<int64_t> from(static_cast<size_t>(out));
  for (size_t i = 0; i < from.size(); ++i) {
    const float at = (static_cast<float>(i) + (half ? 0.5f : 0.f)) * scale;
    from[i] = std::min(static_cast<int64_t>(align ? std::round(at) : std::floor(at)), in - 1);
  }
  return from;
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<ResizeNearestNeighborAttributes>();
  State& s = op.make_state<State>();
  s.shape = resize_shape(op);
  if (s.shape.out_h == 0) return {};
  s.rows = sources(s.shape.in_h, s.shape.out_h, a.align_corners, a.half_pixel_centers);
  s.cols = sources(s.shape.in_w, s.shape.out_w, a.align_corners, a.half_pixel_centers);
  s.cell = static_cast<size_t>(s.shape.channels) * dtype_size(op.in(0).spec.dtype);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int64_t cell = static_cast<int64_t>(s.cell);
  for_each_row(run, s.shape, [&](int64_t b, int64_t y, int) {
    const int64_t row = b * s.shape.in_h + s.rows[static_cast<size_t>(y)];
    const uint8_t* in = run.in<uint8_t>(0) + row * s.shape.in_w * cell;
    uint8_t* out = run.out<uint8_t>(0) + (b * s.shape.out_h + y) * s.shape.out_w * cell;
    for (int64_t x : s.cols) {
      std::memcpy(out, in + x * cell, s.cell);
      out += cell;
    }
  });
}

}  // namespace

extern const OpDef op_resize_nearest_neighbor{check, infer_resize, prepare, eval};

}  // namespace edge
