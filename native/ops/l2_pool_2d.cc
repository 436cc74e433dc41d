// L2_POOL_2D: the root of the mean square of each window, channel by channel; cells outside of the
// picture do not count.
#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ops/support/quantize.h"
#include "ops/support/window.h"

namespace edge {
namespace {

struct State {
  WindowAxis h, w;
  int64_t batches = 0, channels = 0;
  FloatRange range{};
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_attributes<Pool2DAttributes>());
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  return op.expect_output_as_input();
}

Result<State> geometry(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const auto& a = op.attributes<Pool2DAttributes>();
  if (x.rank() != 4) {
    return invalid_model(format("input %s must have 4 dimensions", to_string(x).c_str()));
  }
  State s;
  EDGE_ASSIGN(s.h, make_window(x[1], a.filter_h, a.stride_h, 1, a.padding, 0, 0));
  EDGE_ASSIGN(s.w, make_window(x[2], a.filter_w, a.stride_w, 1, a.padding, 0, 0));
  s.batches = x[0];
  s.channels = x[3];
  return s;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const State s, geometry(op));
  (*shapes)[0] = {op.in(0).spec.shape[0], s.h.out, s.w.out, op.in(0).spec.shape[3]};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s, geometry(op));
  EDGE_ASSIGN(s.range, activation_range(op.attributes<Pool2DAttributes>().activation));
  if (op.out(0).spec.shape.count() == 0) s.batches = 0;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int64_t row_size = s.w.in * s.channels;
  run.pool().run(static_cast<size_t>(s.batches * s.h.out), [&](size_t row, int) {
    const int64_t batch = static_cast<int64_t>(row) / s.h.out;
    const int64_t top = static_cast<int64_t>(row) % s.h.out * s.h.stride - s.h.before;
    const int64_t y0 = std::max<int64_t>(top, 0), y1 = std::min<int64_t>(top + s.h.filter, s.h.in);
    const float* picture = run.in<float>(0) + batch * s.h.in * row_size;
    float* out = run.out<float>(0) + static_cast<int64_t>(row) * s.w.out * s.channels;
    for (int64_t column = 0; column < s.w.out; ++column, out += s.channels) {
      const int64_t left = column * s.w.stride - s.w.before;
      const int64_t x0 = std::max<int64_t>(left, 0);
      const int64_t x1 = std::min<int64_t>(left + s.w.filter, s.w.in);
      std::fill_n(out, s.channels, 0.f);
      for (int64_t y = y0; y < y1; ++y) {
        for (int64_t x = x0; x < x1; ++x) {
          const float* cell = picture + y * row_size + x * s.channels;
          for (int64_t c = 0; c < s.channels; ++c) out[c] += cell[c] * cell[c];
        }
      }
      const float cells = static_cast<float>((y1 - y0) * (x1 - x0));
      for (int64_t c = 0; c < s.channels; ++c) {
        out[c] = std::min(std::max(std::sqrt(out[c] / cells), s.range.low), s.range.high);
      }
    }
  });
}

}  // namespace

extern const OpDef op_l2_pool_2d{check, infer, prepare, eval};

}  // namespace edge
