// CUSTOM:SignalFilterBankSpectralSubtraction: channels less an estimate of their noise, which is
// smoothed from run to run, and that estimate. Odd channels have smoothing factors of their own.
#include <algorithm>

#include "ops/support/signal.h"

namespace edge {
namespace {

struct State {
  int32_t channels = 0;
  int32_t smoothing[2] = {}, rest[2] = {};  // of even and odd channels
  int32_t least = 0;                        // of a signal that remains
  int32_t smoothing_bits = 0, bits = 0;     // behind the binary point
  bool clamping = false;
};

Status read_state(const OpView& op, State* s) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(op.node().custom_options));
  EDGE_TRY(read_integer(map, "num_channels", 1, 1 << 20, &s->channels));
  EDGE_TRY(read_integer(map, "smoothing", 0, INT32_MAX, &s->smoothing[0]));
  EDGE_TRY(read_integer(map, "alternate_smoothing", 0, INT32_MAX, &s->smoothing[1]));
  EDGE_TRY(read_integer(map, "one_minus_smoothing", 0, INT32_MAX, &s->rest[0]));
  EDGE_TRY(read_integer(map, "alternate_one_minus_smoothing", 0, INT32_MAX, &s->rest[1]));
  EDGE_TRY(read_integer(map, "min_signal_remaining", 0, INT32_MAX, &s->least));
  EDGE_TRY(read_integer(map, "smoothing_bits", 0, 31, &s->smoothing_bits));
  EDGE_TRY(read_integer(map, "spectral_subtraction_bits", 0, 63, &s->bits));
  int32_t clamping;
  EDGE_TRY(read_integer(map, "clamping", 0, 1, &clamping));
  s->clamping = clamping != 0;
  return {};
}

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kUInt32}, {DType::kUInt32, DType::kUInt32}));
  State unused;
  return read_state(op, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  State s;
  EDGE_TRY(read_state(op, &s));
  EDGE_TRY(infer_channels(op, shapes));
  if (op.in(0).spec.shape[0] == s.channels) return {};
  return invalid_model(format("%d channels, wanted %d", op.in(0).spec.shape[0], s.channels));
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_TRY(read_state(op, &s));
  op.kept_bytes = static_cast<size_t>(s.channels) * sizeof(uint32_t);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const uint32_t* x = run.in<uint32_t>(0);
  uint32_t *y = run.out<uint32_t>(0), *noise = run.kept<uint32_t>();
  const auto times = [](uint32_t a, int32_t b) { return uint64_t{a} * static_cast<uint32_t>(b); };
  for (int32_t i = 0; i < s.channels; ++i) {
    const uint32_t signal = x[i] << s.smoothing_bits;
    noise[i] = static_cast<uint32_t>(
        (times(signal, s.smoothing[i & 1]) + times(noise[i], s.rest[i & 1])) >> s.bits);
    const uint32_t estimate = std::min(noise[i], signal);
    if (s.clamping) noise[i] = estimate;
    const uint32_t least = static_cast<uint32_t>(times(x[i], s.least) >> s.bits);
    y[i] = std::max((signal - estimate) >> s.smoothing_bits, least);
  }
  std::copy_n(noise, s.channels, run.out<uint32_t>(1));
}

}  // namespace

extern const OpDef op_signal_filter_bank_spectral_subtraction{check, infer, prepare, eval};

}  // namespace edge
