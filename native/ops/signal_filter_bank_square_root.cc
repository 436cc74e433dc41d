// CUSTOM:SignalFilterBankSquareRoot: the rounded square root of each channel, shifted right by what
// SignalFftAutoScale shifted left.
#include <cmath>

#include "ops/support/signal.h"

namespace edge {
namespace {

struct State {
  int64_t count = 0;
};

Status check(const OpView& op) {
  return check_signal(op, {DType::kUInt64, DType::kInt32}, {DType::kUInt32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (op.in(1).spec.shape.count() != 1) return invalid_model("its input 1 is not one number");
  return infer_channels(op, shapes);
}

Status prepare(PrepareContext& op) {
  op.make_state<State>().count = op.in(0).spec.shape.count();
  return {};
}

// To the nearest, except that the largest roots of 32 and of 64 bits are not rounded up.
uint64_t root(uint64_t n) {
  uint64_t r = static_cast<uint64_t>(std::sqrt(static_cast<double>(n)));
  if (r > UINT32_MAX) r = UINT32_MAX;
  while (r * r > n) --r;
  while (r < UINT32_MAX && (r + 1) * (r + 1) <= n) ++r;
  const uint64_t largest = n >> 32 ? UINT32_MAX : UINT16_MAX;
  return n - r * r > r && r != largest ? r + 1 : r;
}

void eval(const EvalContext& run) {
  const int32_t shift = *run.in<int32_t>(1);
  if (shift < 0) return run.fail(invalid_argument(format("a shift by %d bits", shift)));
  const uint64_t* x = run.in<uint64_t>(0);
  uint32_t* y = run.out<uint32_t>(0);
  for (int64_t i = 0; i < run.state<State>().count; ++i) {
    y[i] = shift < 32 ? static_cast<uint32_t>(root(x[i])) >> shift : 0;
  }
}

}  // namespace

extern const OpDef op_signal_filter_bank_square_root{check, infer, prepare, eval};

}  // namespace edge
