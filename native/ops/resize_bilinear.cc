// RESIZE_BILINEAR: each pixel is the mean of the four around its place in the input, weighted by
// how near they are. The place is i * s, or (i + 0.5) * s - 0.5 for half-pixel centres, s = in /
// out, or (in - 1) / (out - 1) with aligned corners.
//
// float32 and uint8 are computed in float32, products summed from the top left to the bottom right;
// uint8 adds 0.5 and truncates. int8 and int16 have places and weights of 10 fractional bits and
// round half away from zero (decision 001).
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "ops/support/resize.h"

namespace edge {
namespace {

constexpr int32_t kOne = 1 << 10;

// Element i of the output lies between elements low and high of the input. W: float or int32_t.
template <typename W>
struct Place {
  int64_t low = 0, high = 0;
  W near_low = 0, near_high = 0;  // weights
};

struct State {
  ResizeShape shape;
  DType type = DType::kFloat32;
  std::vector<Place<float>> rows, cols;
  std::vector<Place<int32_t>> integer_rows, integer_cols;
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
void cut(int64_t in, int64_t* low, int64_t* high) {
  *low = std::min(std::max<int64_t>(*low, 0), in - 1);
  *high = std::min(*high, in - 1);
}

std::vector<Place<float>> places(int64_t in, int64_t out, const ResizeBilinearAttributes& a) {
  const float scale = a.align_corners && out > 1
                          ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                          : static_cast<float>(in) / static_cast<float>(out);
  std::vector<Place<float>> all(static_cast<size_t>(out));
  for (size_t i = 0; i < all.size(); ++i) {
    const float index = static_cast<float>(i);
    const float at = a.half_pixel_centers ? (index + 0.5f) * scale - 0.5f : index * scale;
    Place<float>& p = all[i];
    p.low = static_cast<int64_t>(std::floor(at));
    p.high = static_cast<int64_t>(std::ceil(at));
    cut(in, &p.low, &p.high);
    p.near_high = at - static_cast<float>(p.low);
    p.near_low = 1.f - p.near_high;
  }
  return all;
}

std::vector<Place<int32_t>> integer_places(int64_t in, int64_t out,
                                           const ResizeBilinearAttributes& a) {
  const bool align = a.align_corners && out > 1;
  const int64_t from = align ? in - 1 : in, to = align ? out - 1 : out;
  const int64_t scale = (kOne * from + to / 2) / to;
  std::vector<Place<int32_t>> all(static_cast<size_t>(out));
  for (size_t i = 0; i < all.size(); ++i) {
    int64_t at = static_cast<int64_t>(i) * scale;
    if (a.half_pixel_centers) at += scale / 2 - kOne / 2;
    Place<int32_t>& p = all[i];
    p.low = at / kOne;
    p.high = (at + kOne - 1) / kOne;
    cut(in, &p.low, &p.high);
    // Where both are one element its weights are 1 in all, however they are divided.
    p.near_high = p.low == p.high ? 0 : static_cast<int32_t>(at - kOne * p.low);
    p.near_low = kOne - p.near_high;
  }
  return all;
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<ResizeBilinearAttributes>();
  State& s = op.make_state<State>();
  s.shape = resize_shape(op);
  s.type = op.in(0).spec.dtype;
  if (s.shape.out_h == 0) return {};
  if (s.type == DType::kInt8 || s.type == DType::kInt16) {
    s.integer_rows = integer_places(s.shape.in_h, s.shape.out_h, a);
    s.integer_cols = integer_places(s.shape.in_w, s.shape.out_w, a);
  } else {
    s.rows = places(s.shape.in_h, s.shape.out_h, a);
    s.cols = places(s.shape.in_w, s.shape.out_w, a);
  }
  return {};
}

// One pixel of float32 or uint8: t, b the row above and below; l, r the columns left and right.
template <typename T>
void interpolate(const T* tl, const T* bl, const T* tr, const T* br, const Place<float>& row,
                 const Place<float>& col, int64_t channels, T* out) {
  const float t = row.near_low, b = row.near_high, l = col.near_low, r = col.near_high;
  for (int64_t c = 0; c < channels; ++c) {
    const float mean = static_cast<float>(tl[c]) * t * l + static_cast<float>(bl[c]) * b * l +
                       static_cast<float>(tr[c]) * t * r + static_cast<float>(br[c]) * b * r;
    out[c] = std::is_integral_v<T> ? static_cast<T>(mean + 0.5f) : static_cast<T>(mean);
  }
}

// The same of int8 or int16, whose sums need 28 and 36 bits.
template <typename T>
void interpolate(const T* tl, const T* bl, const T* tr, const T* br, const Place<int32_t>& row,
                 const Place<int32_t>& col, int64_t channels, T* out) {
  using Sum = std::conditional_t<sizeof(T) == 1, int32_t, int64_t>;
  const Sum t = row.near_low, b = row.near_high, l = col.near_low, r = col.near_high;
  const Sum tl_weight = t * l, bl_weight = b * l, tr_weight = t * r, br_weight = b * r;
  constexpr Sum kHalf = Sum{1} << 19, kUnit = Sum{1} << 20;
  for (int64_t c = 0; c < channels; ++c) {
    const Sum sum = tl[c] * tl_weight + bl[c] * bl_weight + tr[c] * tr_weight + br[c] * br_weight;
    out[c] = static_cast<T>((sum + (sum > 0 ? kHalf : -kHalf)) / kUnit);
  }
}

template <typename T, typename W>
void resize(const EvalContext& run, const ResizeShape& shape, const std::vector<Place<W>>& rows,
            const std::vector<Place<W>>& cols) {
  const int64_t in_row = shape.in_w * shape.channels, out_row = shape.out_w * shape.channels;
  for_each_row(run, shape, [&](int64_t batch, int64_t y) {
    const Place<W>& row = rows[static_cast<size_t>(y)];
    const T* in = run.in<T>(0) + batch * shape.in_h * in_row;
    const T *top = in + row.low * in_row, *bottom = in + row.high * in_row;
    T* out = run.out<T>(0) + (batch * shape.out_h + y) * out_row;
    for (const Place<W>& col : cols) {
      const int64_t left = col.low * shape.channels, right = col.high * shape.channels;
      interpolate(top + left, bottom + left, top + right, bottom + right, row, col, shape.channels,
                  out);
      out += shape.channels;
    }
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  switch (s.type) {
    case DType::kFloat32:
      return resize<float>(run, s.shape, s.rows, s.cols);
    case DType::kUInt8:
      return resize<uint8_t>(run, s.shape, s.rows, s.cols);
    case DType::kInt8:
      return resize<int8_t>(run, s.shape, s.integer_rows, s.integer_cols);
    default:
      return resize<int16_t>(run, s.shape, s.integer_rows, s.integer_cols);
  }
}

}  // namespace

extern const OpDef op_resize_bilinear{check, infer_resize, prepare, eval};

}  // namespace edge
