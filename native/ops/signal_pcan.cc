// CUSTOM:SignalPCAN: per-channel automatic gain. A table, by the noise estimate's highest bit, of
// parabolas gives each channel's gain; what it amplifies is then compressed.
#include "ops/support/signal.h"

namespace edge {
namespace {

constexpr int32_t kTable = 4 * 32 - 6 + 3;  // entries that the largest noise estimate reaches
constexpr uint32_t kSnrBits = 12, kOutputBits = 6;

struct State {
  int32_t channels = 0, shift = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(check_signal(op, {DType::kUInt32, DType::kUInt32, DType::kInt16}, {DType::kUInt32}));
  int32_t unused;
  return read_option(op.node(), "snr_shift", 0, 63, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_TRY(infer_channels(op, shapes));
  const Shape &noise = op.in(1).spec.shape, &table = op.in(2).spec.shape;
  if (noise == op.in(0).spec.shape && table.rank() == 1 && table[0] >= kTable) return {};
  return invalid_model(format("noise %s of channels %s with a table %s", to_string(noise).c_str(),
                              to_string(op.in(0).spec.shape).c_str(), to_string(table).c_str()));
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.channels = op.in(0).spec.shape[0];
  return read_option(op.node(), "snr_shift", 0, 63, &s.shift);
}

// Sums and products wrap, as they may with tables that nobody would make.
int16_t gain(uint32_t noise, const int16_t* table) {
  if (noise <= 2) return table[noise];
  const int32_t bit = highest_bit(noise);
  table += 4 * bit - 6;
  const uint32_t place = (bit < 11 ? noise << (11 - bit) : noise >> (bit - 11)) & 0x3FF;
  uint32_t slope = static_cast<uint32_t>((table[2] * static_cast<int32_t>(place)) >> 5);
  slope += static_cast<uint32_t>(int32_t{table[1]}) << 5;
  const int32_t rise = static_cast<int32_t>(slope * place + (1 << 14)) >> 15;
  return static_cast<int16_t>(static_cast<uint32_t>(rise) + static_cast<uint32_t>(table[0]));
}

// x^2 / 4 below 2, x - 1 from there on.
uint32_t compress(uint32_t x) {
  if (x < 2u << kSnrBits) return (x * x) >> (2 + 2 * kSnrBits - kOutputBits);
  return (x >> (kSnrBits - kOutputBits)) - (1u << kOutputBits);
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const uint32_t *x = run.in<uint32_t>(0), *noise = run.in<uint32_t>(1);
  const int16_t* table = run.in<int16_t>(2);
  for (int32_t i = 0; i < s.channels; ++i) {
    const uint32_t factor = static_cast<uint32_t>(int32_t{gain(noise[i], table)});
    run.out<uint32_t>(0)[i] = compress(static_cast<uint32_t>((uint64_t{x[i]} * factor) >> s.shift));
  }
}

}  // namespace

extern const OpDef op_signal_pcan{check, infer, prepare, eval};

}  // namespace edge
