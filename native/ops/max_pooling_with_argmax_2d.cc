// CUSTOM:MaxPoolingWithArgmax2D: MAX_POOL_2D that also says where in its window each maximum lies,
// as row * filter_w + column + 0.1 in float32 (so that cutting it gives the index).
#include <algorithm>
#include <limits>

#include "ops/op.h"
#include "ops/support/options.h"
#include "ops/support/window.h"

namespace edge {
namespace {

struct State {
  WindowAxis h, w;
  int64_t batches = 0, depth = 0;
  float low = 0, high = 0;  // of the activation
};

Status prepare_state(const OpView& op, State* s) {
  EDGE_ASSIGN(const Pool2DAttributes a, read_pool(op.node().custom_options));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 4) return invalid_model(format("a picture %s", to_string(x).c_str()));
  EDGE_ASSIGN(s->h, make_window(x[1], a.filter_h, a.stride_h, 1, a.padding, 0, 0));
  EDGE_ASSIGN(s->w, make_window(x[2], a.filter_w, a.stride_w, 1, a.padding, 0, 0));
  s->batches = x[0];
  s->depth = x[3];
  const bool none = a.activation == Activation::kNone;
  s->high = a.activation == Activation::kRelu6       ? 6
            : a.activation == Activation::kReluN1To1 ? 1
                                                     : std::numeric_limits<float>::max();
  s->low = none ? std::numeric_limits<float>::lowest()
                : (a.activation == Activation::kReluN1To1 ? -1.f : 0.f);
  return {};
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 2));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  for (size_t i = 0; i < 2; ++i) EDGE_TRY(op.expect_output(i, {DType::kFloat32}));
  return read_pool(op.node().custom_options).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  State s;
  EDGE_TRY(prepare_state(op, &s));
  const Shape& x = op.in(0).spec.shape;
  (*shapes)[0] = (*shapes)[1] = {x[0], s.h.out, s.w.out, x[3]};
  return {};
}

Status prepare(PrepareContext& op) { return prepare_state(op, &op.make_state<State>()); }

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float* x = run.in<float>(0);
  float *y = run.out<float>(0), *places = run.out<float>(1);
  const auto pool_one = [&](int64_t batch, int out_y, int out_x, int64_t c, int64_t to) {
    const int top = out_y * s.h.stride - s.h.before, left = out_x * s.w.stride - s.w.before;
    float most = std::numeric_limits<float>::lowest();
    int place = 0;
    for (int v = std::max(0, -top); v < std::min(s.h.filter, s.h.in - top); ++v) {
      for (int u = std::max(0, -left); u < std::min(s.w.filter, s.w.in - left); ++u) {
        const float value = x[((batch * s.h.in + top + v) * s.w.in + left + u) * s.depth + c];
        if (!(value > most)) continue;
        most = value;
        place = v * s.w.filter + u;
      }
    }
    y[to] = std::min(std::max(most, s.low), s.high);
    places[to] = static_cast<float>(place) + 0.1f;
  };
  const int64_t rows = s.batches * s.h.out;
  run.pool().run(static_cast<size_t>(rows), [&](size_t row, int) {
    const int64_t r = static_cast<int64_t>(row);
    int64_t to = r * s.w.out * s.depth;
    for (int out_x = 0; out_x < s.w.out; ++out_x) {
      for (int64_t c = 0; c < s.depth; ++c) {
        pool_one(r / s.h.out, static_cast<int>(r % s.h.out), out_x, c, to++);
      }
    }
  });
}

}  // namespace

extern const OpDef op_max_pooling_with_argmax_2d{check, infer, prepare, eval};

}  // namespace edge
