// CUSTOM:SignalEnergy: re^2 + im^2 of the bins [start_index, end_index) of a spectrum of int16
// pairs; 0 for the others, which the original leaves as they were.
#include <algorithm>

#include "ops/support/signal.h"

namespace edge {
namespace {

struct State {
  int32_t bins = 0, start = 0, end = 0;
};

Status read_state(const OpView& op, State* s) {
  EDGE_TRY(read_option(op.node(), "start_index", 0, INT32_MAX, &s->start));
  return read_option(op.node(), "end_index", 0, INT32_MAX, &s->end);
}

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kInt16}, {DType::kUInt32}));
  State unused;
  return read_state(op, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  State s;
  EDGE_TRY(read_state(op, &s));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 1 || x[0] % 2 != 0 || s.end > x[0] / 2) {
    return invalid_model(format("bins %d to %d of %s", s.start, s.end, to_string(x).c_str()));
  }
  (*shapes)[0] = {x[0] / 2};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.bins = op.out(0).spec.shape[0];
  return read_state(op, &s);
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int16_t* x = run.in<int16_t>(0);
  uint32_t* y = run.out<uint32_t>(0);
  std::fill_n(y, s.bins, 0u);
  for (int32_t i = s.start; i < s.end; ++i) {
    const int32_t re = x[2 * i], im = x[2 * i + 1];
    y[i] = static_cast<uint32_t>(re * re) + static_cast<uint32_t>(im * im);
  }
}

}  // namespace

extern const OpDef op_signal_energy{check, infer, prepare, eval};

}  // namespace edge
