// SIGN: -1, 0 or 1; NaN stays.
#include "ops/support/by_type.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_unary(op, {DType::kFloat32, DType::kFloat64, DType::kInt32});
}

Status prepare(PrepareContext& op) { return prepare_unary(op, &op.make_state<Unary>()); }

void eval(const EvalContext& run) {
  const Unary& s = run.state<Unary>();
  by_type<float, double, int32_t>(s.type, [&](auto of) {
    using T = decltype(of);
    map_unary<T>(run, s.count, [](T x) {
      return x > 0 ? T{1} : x < 0 ? T{-1} : x == 0 ? T{0} : x;
    });
  });
}

}  // namespace

extern const OpDef op_sign{check, infer_unary, prepare, eval};

}  // namespace edge
