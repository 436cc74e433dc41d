// LOG: the natural logarithm. Codes of what has none give the lowest code, floats NaN or -infinity.
#include <limits>

#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) {
  // int16 has the lowest code's value there, through which its lines are drawn.
  const TensorSpec& out = op.out(0).spec;
  const double lowest = out.dtype == DType::kInt16 ? static_cast<double>(out.scale() * -32768.f)
                                                   : -std::numeric_limits<double>::infinity();
  return prepare_real(op, [=](double x) { return x > 0 ? std::log(x) : lowest; });
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return std::log(x); });
}

}  // namespace

extern const OpDef op_log{check, infer_unary, prepare, eval};

}  // namespace edge
