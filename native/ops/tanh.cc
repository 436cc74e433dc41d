// TANH: the hyperbolic tangent.
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8});
}

Status prepare(PrepareContext& op) {
  return prepare_real(op, [](double x) { return std::tanh(x); });
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return std::tanh(x); });
}

}  // namespace

extern const OpDef op_tanh{check, infer_unary, prepare, eval};

}  // namespace edge
