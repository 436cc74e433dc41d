// EXP: e^x.
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  return prepare_real(op, [](double x) { return std::exp(x); });
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return std::exp(x); });
}

}  // namespace

extern const OpDef op_exp{check, infer_unary, prepare, eval};

}  // namespace edge
