// LOG: the natural logarithm. Codes of what has none give the lowest code, floats NaN or -infinity.
#include <limits>

#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_unary(op, {DType::kFloat32, DType::kInt8}); }

Status prepare(PrepareContext& op) {
  constexpr double kLowest = -std::numeric_limits<double>::infinity();
  return prepare_real(op, [](double x) { return x > 0 ? std::log(x) : kLowest; });
}

void eval(const EvalContext& run) {
  eval_real(run, [](float x) { return std::log(x); });
}

}  // namespace

extern const OpDef op_log{check, infer_unary, prepare, eval};

}  // namespace edge
