// STABLEHLO_SHIFT_LEFT: a's bits moved up by b; nothing is left of them where b is negative or
// moves them all out.
#include "ops/support/stablehlo.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_same_shape(op, {DType::kInt8, DType::kInt16, DType::kInt32});
}

void eval(const EvalContext& run) {
  by_type<int8_t, int16_t, int32_t>(run.state<SameShape>().type, [&](auto of) {
    using T = decltype(of);
    map_same_shape<T>(run, [](T a, T b) {
      const bool within = b >= 0 && b < static_cast<T>(8 * sizeof(T));
      return within ? static_cast<T>(static_cast<uint64_t>(a) << b) : T{0};
    });
  });
}

}  // namespace

extern const OpDef op_stablehlo_shift_left{check, infer_same_shape, prepare_same_shape, eval};

}  // namespace edge
