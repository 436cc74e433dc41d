// SQRT: the square root. Codes are cut, not rounded, as TFLite does it.
#include "ops/support/root.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) {
  const TensorSpec &in = op.in(0).spec, &out = op.out(0).spec;
  return prepare_root(op, [&](int32_t x) {
    const float y = std::sqrt(in.scale() * static_cast<float>(x)) / out.scale();
    return static_cast<int32_t>(std::min(y, 65536.f)) + out.zero_point();
  });
}

void eval(const EvalContext& run) {
  eval_root(run, [](float x) { return std::sqrt(x); });
}

}  // namespace

extern const OpDef op_sqrt{check_root, infer_unary, prepare, eval};

}  // namespace edge
