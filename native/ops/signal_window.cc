// CUSTOM:SignalWindow: each run of samples times a window, shifted right and cut to int16.
#include <algorithm>

#include "ops/support/signal.h"

namespace edge {
namespace {

struct State {
  int32_t shift = 0;
  int64_t runs = 0, size = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kInt16, DType::kInt16}, {DType::kInt16}));
  int32_t unused;
  return read_option(op.node(), "shift", 0, 31, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &window = op.in(1).spec.shape;
  if (x.rank() < 1 || window.rank() != 1 || window[0] < 1 || x.count() % window[0] != 0) {
    return invalid_model(
        format("a window %s over samples %s", to_string(window).c_str(), to_string(x).c_str()));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.size = op.in(1).spec.shape[0];
  s.runs = op.in(0).spec.shape.count() / s.size;
  return read_option(op.node(), "shift", 0, 31, &s.shift);
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int16_t *x = run.in<int16_t>(0), *window = run.in<int16_t>(1);
  int16_t* y = run.out<int16_t>(0);
  for (int64_t r = 0; r < s.runs; ++r, x += s.size, y += s.size) {
    for (int64_t i = 0; i < s.size; ++i) {
      const int32_t v = (x[i] * window[i]) >> s.shift;
      y[i] = static_cast<int16_t>(std::min(std::max(v, INT16_MIN), INT16_MAX));
    }
  }
}

}  // namespace

extern const OpDef op_signal_window{check, infer, prepare, eval};

}  // namespace edge
