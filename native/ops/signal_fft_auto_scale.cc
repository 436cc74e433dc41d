// CUSTOM:SignalFftAutoScale: samples shifted left as far as the loudest of them allows, and by how
// much.
#include "ops/support/signal.h"

namespace edge {
namespace {

struct State {
  int64_t count = 0;
};

Status check(const OpView& op) {
  return check_signal(op, {DType::kInt16}, {DType::kInt16, DType::kInt32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_TRY(infer_channels(op, shapes));
  (*shapes)[1] = {};
  return {};
}

Status prepare(PrepareContext& op) {
  op.make_state<State>().count = op.in(0).spec.shape.count();
  return {};
}

void eval(const EvalContext& run) {
  const int64_t count = run.state<State>().count;
  const int16_t* x = run.in<int16_t>(0);
  int16_t* y = run.out<int16_t>(0);
  // The negative of -32768 is itself in 16 bits, so that any later sample counts as louder: so it
  // is in the original, and frames with clipped samples come out the same only if it is here.
  int16_t loudest = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (x[i] > loudest) {
      loudest = x[i];
    } else if (-x[i] > loudest) {
      loudest = static_cast<int16_t>(-x[i]);
    }
  }
  int32_t shift = 15 - highest_bit(static_cast<uint32_t>(static_cast<int32_t>(loudest)));
  if (shift < 0) shift = 0;
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<int16_t>(x[i] * (1 << shift));
  *run.out<int32_t>(1) = shift;
}

}  // namespace

extern const OpDef op_signal_fft_auto_scale{check, infer, prepare, eval};

}  // namespace edge
