// CUSTOM:SignalRfft: the spectrum of int16 samples along the last axis, filled up with zeros to
// fft_length: pairs of real and imaginary parts.
#include <algorithm>

#include "ops/support/fft.h"
#include "ops/support/fixed_fft.h"
#include "ops/support/signal.h"

namespace edge {
namespace {

constexpr int32_t kMost = 1 << 20;

struct State {
  FixedRealFft fft;
  int64_t runs = 0, size = 0;
};

Status read_length(const OpView& op, int32_t* length) {
  EDGE_TRY(read_option(op.node(), "fft_length", 4, kMost, length));
  if (is_power_of_two(*length)) return {};
  return unsupported(format("fft_length %d is no power of two", *length));
}

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kInt16}, {DType::kInt16}));
  int32_t unused;
  return read_length(op, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  int32_t length;
  EDGE_TRY(read_length(op, &length));
  Shape x = op.in(0).spec.shape;
  const int last = x.rank() - 1;
  if (last < 0 || x[last] > length) {
    return invalid_model(format("fft_length %d of samples %s", length, to_string(x).c_str()));
  }
  x[last] = length + 2;
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  int32_t length;
  EDGE_TRY(read_length(op, &length));
  const Shape& x = op.in(0).spec.shape;
  s.fft = FixedRealFft(static_cast<size_t>(length));
  s.size = x[x.rank() - 1];
  s.runs = x.count(0, x.rank() - 1);
  op.scratch_per_worker = s.fft.size() * 2 * sizeof(int16_t);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int16_t* x = run.in<int16_t>(0);
  auto* y = run.out<FixedRealFft::Value>(0);
  int16_t* samples = reinterpret_cast<int16_t*>(run.scratch(0));
  auto* work = reinterpret_cast<FixedRealFft::Value*>(samples + s.fft.size());
  for (int64_t r = 0; r < s.runs; ++r, x += s.size, y += s.fft.size() / 2 + 1) {
    std::fill(std::copy_n(x, s.size, samples), samples + s.fft.size(), int16_t{0});
    s.fft.run(samples, work, y);
  }
}

}  // namespace

extern const OpDef op_signal_rfft{check, infer, prepare, eval};

}  // namespace edge
