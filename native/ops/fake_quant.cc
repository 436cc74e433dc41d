// FAKE_QUANT: x as it would be after quantization to so many bits from min to max, which are moved
// so that 0 is a code.
#include <algorithm>

#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  size_t count = 0;
  float low = 0, high = 0, scale = 1;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<FakeQuantAttributes>());
  EDGE_TRY(check_unary(op, {DType::kFloat32}));
  const auto& a = op.attributes<FakeQuantAttributes>();
  if (a.narrow_range) return unsupported("a narrow range");
  if (a.num_bits < 1 || a.num_bits > 16 || !(a.min <= 0 && a.max >= 0 && a.min < a.max) ||
      !std::isfinite(a.max - a.min)) {
    return invalid_model(format("%d bits from %g to %g", a.num_bits, double{a.min}, double{a.max}));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<FakeQuantAttributes>();
  State& s = op.make_state<State>();
  s.count = static_cast<size_t>(op.in(0).spec.shape.count());
  const float codes = static_cast<float>((1 << a.num_bits) - 1);
  s.scale = (a.max - a.min) / codes;
  const float zero = std::round(std::min(std::max(-a.min / s.scale, 0.f), codes));
  s.low = -zero * s.scale;
  s.high = (codes - zero) * s.scale;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float inverse = 1.f / s.scale;
  map_unary<float>(run, s.count, [&](float x) {
    const float cut = std::min(s.high, std::max(s.low, x));
    return std::round((cut - s.low) * inverse) * s.scale + s.low;
  });
}

}  // namespace

extern const OpDef op_fake_quant{check, infer_unary, prepare, eval};

}  // namespace edge
