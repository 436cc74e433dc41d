// RSQRT: 1 / sqrt(x). The code of 0 gives the highest code.
#include "ops/support/fixed_point.h"
#include "ops/support/inverse_root.h"
#include "ops/support/root.h"

namespace edge {
namespace {

constexpr int kBits = 20;  // fraction bits of 1 / sqrt(code)

Status prepare(PrepareContext& op) {
  // Of int16 the lines go through the highest code at 0 and below.
  if (op.in(0).spec.dtype == DType::kInt16) {
    Root& state = op.make_state<Root>();
    EDGE_TRY(prepare_unary(op, &state));
    const float highest = op.out(0).spec.scale() * INT16_MAX;
    auto real = [=](float x) { return x > 0 ? 1.f / std::sqrt(x) : highest; };
    fill_real_table(op.in(0).spec, op.out(0).spec, real, &state);
    return {};
  }
  requantize::Multiplier m{};
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  if (is_8bit(in.dtype)) {
    EDGE_ASSIGN(m, fixed_point(1.0 / double{std::sqrt(in.scale()) * out.scale()}));
    m.e -= kBits;
  }
  return prepare_root(op, [&](int32_t x) {
    if (x == 0) return INT8_MAX;
    requantize::Multiplier root = inverse_root(x);
    root.e += kBits;
    return requantize::wrapping_add(rescale(rescale(1, root), m), out.zero_point());
  });
}

void eval(const EvalContext& run) {
  eval_root(run, [](float x) { return 1.f / std::sqrt(x); });
}

}  // namespace

extern const OpDef op_rsqrt{check_root, infer_unary, prepare, eval};

}  // namespace edge
