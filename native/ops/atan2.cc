// ATAN2: the angle of the point (b, a), broadcast.
#include <cmath>

#include "ops/support/binary.h"
#include "ops/support/by_type.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_binary(op, {DType::kFloat32, DType::kFloat64}); }

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

void eval(const EvalContext& run) {
  const Binary& s = run.state<Binary>();
  by_type<float, double>(s.type, [&](auto of) {
    using T = decltype(of);
    map_binary<T>(run, s.shape, [](T a, T b) { return std::atan2(a, b); });
  });
}

}  // namespace

extern const OpDef op_atan2{check, infer_binary, prepare, eval};

}  // namespace edge
