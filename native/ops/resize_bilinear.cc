// RESIZE_BILINEAR: each pixel is the mean of the four around its place in the input, weighted by
// how near they are. The place is i * s, or (i + 0.5) * s - 0.5 for half-pixel centres, s = in /
// out, or (in - 1) / (out - 1) with aligned corners.
//
// float32 and uint8 are computed in float32, products summed from the top left to the bottom right;
// uint8 adds 0.5 and truncates. int8 and int16 have places and weights of 10 fractional bits and
// round half away from zero (decision 001).
#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "kernels/resize/resize.h"
#include "ops/support/resize.h"

namespace edge {
namespace {

using resize::Place;

constexpr int32_t kOne = 1 << 10;

struct State {
  ResizeShape shape;
  size_t element = 1;  // bytes
  const resize::Kernel* kernel = nullptr;
  std::vector<Place> rows, cols;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<ResizeBilinearAttributes>());
  const auto& a = op.attributes<ResizeBilinearAttributes>();
  if (a.align_corners && a.half_pixel_centers) {
    return invalid_model("half-pixel centres with aligned corners");
  }
  return check_resize(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16});
}

// Rounding can put a place behind the last element, where the reference reads what does not belong
// to the row, or to the tensor: it is cut there.
Place cut(int64_t in, int64_t low, int64_t high) {
  low = std::min(std::max<int64_t>(low, 0), in - 1);
  return {static_cast<size_t>(low), static_cast<size_t>(std::min(high, in - 1)), 0, 0};
}

std::vector<Place> places(int64_t in, int64_t out, const ResizeBilinearAttributes& a) {
  const float scale = a.align_corners && out > 1
                          ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                          : static_cast<float>(in) / static_cast<float>(out);
  std::vector<Place> all(static_cast<size_t>(out));
  for (size_t i = 0; i < all.size(); ++i) {
    const float index = static_cast<float>(i);
    const float at = a.half_pixel_centers ? (index + 0.5f) * scale - 0.5f : index * scale;
    all[i] = cut(in, static_cast<int64_t>(std::floor(at)), static_cast<int64_t>(std::ceil(at)));
    all[i].near_high = at - static_cast<float>(all[i].low);
    all[i].near_low = 1.f - all[i].near_high;
  }
  return all;
}

std::vector<Place> integer_places(int64_t in, int64_t out, const ResizeBilinearAttributes& a) {
  const bool align = a.align_corners && out > 1;
  const int64_t from = align ? in - 1 : in, to = align ? out - 1 : out;
  const int64_t scale = (kOne * from + to / 2) / to;
  std::vector<Place> all(static_cast<size_t>(out));
  for (size_t i = 0; i < all.size(); ++i) {
    int64_t at = static_cast<int64_t>(i) * scale;
    if (a.half_pixel_centers) at += scale / 2 - kOne / 2;
    Place& p = all[i] = cut(in, at / kOne, (at + kOne - 1) / kOne);
    // Where both are one element its weights are 1 in all, however they are divided.
    const int64_t near_high = p.low == p.high ? 0 : at - kOne * static_cast<int64_t>(p.low);
    p.near_high = static_cast<float>(near_high);
    p.near_low = static_cast<float>(kOne - near_high);
  }
  return all;
}

resize::Op kernel_op(DType type) {
  switch (type) {
    case DType::kFloat32:
      return resize::Op::kF32;
    case DType::kUInt8:
      return resize::Op::kU8;
    case DType::kInt8:
      return resize::Op::kI8;
    default:
      return resize::Op::kI16;
  }
}

bool all_sixteenths(const std::vector<Place>& places) {
  return std::all_of(places.begin(), places.end(), [](const Place& p) {
    const float near = p.near_low * 16;
    return near >= 0 && near <= 16 && near == std::floor(near) && p.near_high == 1 - p.near_low;
  });
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<ResizeBilinearAttributes>();
  State& s = op.make_state<State>();
  s.shape = resize_shape(op);
  if (s.shape.out_h == 0) return {};
  const DType type = op.in(0).spec.dtype;
  const bool integer = type == DType::kInt8 || type == DType::kInt16;
  s.rows = (integer ? integer_places : places)(s.shape.in_h, s.shape.out_h, a);
  s.cols = (integer ? integer_places : places)(s.shape.in_w, s.shape.out_w, a);
  s.element = dtype_size(type);
  Features features;
  EDGE_TRY(active_features(&features));
  resize::Op kernel = kernel_op(type);
  if (kernel == resize::Op::kU8 && all_sixteenths(s.rows) && all_sixteenths(s.cols)) {
    kernel = resize::Op::kU8Sixteenths;
  }
  s.kernel = &resize::select(features, kernel);
  op.kernel = s.kernel->name;
  op.scratch_per_worker = resize::scratch_bytes(static_cast<size_t>(s.shape.in_w),
                                                static_cast<size_t>(s.shape.channels));
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const ResizeShape& shape = s.shape;
  const size_t in_cols = static_cast<size_t>(shape.in_w), cols = static_cast<size_t>(shape.out_w);
  const size_t channels = static_cast<size_t>(shape.channels);
  const size_t in_row = in_cols * channels * s.element, out_row = cols * channels * s.element;
  for_each_row(run, shape, [&](int64_t batch, int64_t y, int worker) {
    const Place& row = s.rows[static_cast<size_t>(y)];
    const uint8_t* in = run.in<uint8_t>(0) + static_cast<size_t>(batch * shape.in_h) * in_row;
    uint8_t* out = run.out<uint8_t>(0) + static_cast<size_t>(batch * shape.out_h + y) * out_row;
    s.kernel->run({in_cols, cols, channels, in + row.low * in_row, in + row.high * in_row,
                   row.near_low, row.near_high, s.cols.data(), run.scratch(worker), out});
  });
}

}  // namespace

extern const OpDef op_resize_bilinear{check, infer_resize, prepare, eval};

}  // namespace edge
