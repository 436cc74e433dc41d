// ELU: x, or e^x - 1 below 0.
#include "ops/support/unary.h"

namespace edge {
namespace {

struct Elu {
  template <typename T>
  T operator()(T x) const {
    return x < 0 ? std::expm1(x) : x;
  }
};

Status check(const OpView& op) { return check_unary(op, {DType::kFloat32, DType::kInt8}); }

Status prepare(PrepareContext& op) { return prepare_real(op, Elu()); }

void eval(const EvalContext& run) { eval_real(run, Elu()); }

}  // namespace

extern const OpDef op_elu{check, infer_unary, prepare, eval};

}  // namespace edge
