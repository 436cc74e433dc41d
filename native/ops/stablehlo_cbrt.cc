// STABLEHLO_CBRT: the number whose third power is x.
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_unary(op, {DType::kFloat32}); }

Status prepare(PrepareContext& op) { return prepare_unary(op, &op.make_state<Unary>()); }

void eval(const EvalContext& run) {
  map_unary<float>(run, run.state<Unary>().count, [](float x) { return std::cbrt(x); });
}

}  // namespace

extern const OpDef op_stablehlo_cbrt{check, infer_unary, prepare, eval};

}  // namespace edge
