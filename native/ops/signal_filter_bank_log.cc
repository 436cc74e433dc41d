// CUSTOM:SignalFilterBankLog: the natural logarithm of each channel, scaled and cut to int16. It is
// the one of a table with 128 steps, in 16 binary digits behind the point.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/support/signal.h"

namespace edge {
namespace {

constexpr int32_t kSteps = 128;
constexpr uint32_t kBits = 16, kHalf = 1 << (kBits - 1);
constexpr uint32_t kLog2 = 45426;  // of e^x: ln(2) with kBits

struct State {
  int32_t channels = 0, correction = 0, scale = 0;
  std::array<int32_t, kSteps + 1> table;  // log2(1 + x) - x
};

Status read_state(const OpView& op, State* s) {
  EDGE_TRY(read_option(op.node(), "input_correction_bits", 0, 31, &s->correction));
  return read_option(op.node(), "output_scale", 0, INT32_MAX, &s->scale);
}

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kUInt32}, {DType::kInt16}));
  State unused;
  return read_state(op, &unused);
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.channels = op.in(0).spec.shape[0];
  for (int32_t i = 0; i <= kSteps; ++i) {
    const double x = static_cast<double>(i) / kSteps;
    s.table[static_cast<size_t>(i)] =
        static_cast<int32_t>(std::round((std::log2(1 + x) - x) * (1 << kBits)));
  }
  return read_state(op, &s);
}

uint32_t logarithm(const State& s, uint32_t x) {
  const uint32_t whole = static_cast<uint32_t>(highest_bit(x)) - 1;
  const uint32_t rest = x - (1u << whole);
  const uint32_t fraction = whole < kBits ? rest << (kBits - whole) : rest >> (whole - kBits);
  constexpr uint32_t kStep = (1u << kBits) / kSteps;
  const size_t step = fraction / kStep;
  const int32_t rise = (s.table[step + 1] - s.table[step]) * static_cast<int32_t>(fraction % kStep);
  const uint32_t log2 =
      (whole << kBits) + fraction + static_cast<uint32_t>(s.table[step] + (rise >> kBits));
  const uint32_t natural = static_cast<uint32_t>((uint64_t{kLog2} * log2 + kHalf) >> kBits);
  return (static_cast<uint32_t>(s.scale) * natural + kHalf) >> kBits;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  for (int32_t i = 0; i < s.channels; ++i) {
    const uint32_t x = run.in<uint32_t>(0)[i] << s.correction;
    const uint32_t y = x > 1 ? std::min<uint32_t>(logarithm(s, x), INT16_MAX) : 0;
    run.out<int16_t>(0)[i] = static_cast<int16_t>(y);
  }
}

}  // namespace

extern const OpDef op_signal_filter_bank_log{check, infer_channels, prepare, eval};

}  // namespace edge
