// STABLEHLO_AND: the bits that both a and b have.
#include "ops/support/stablehlo.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_same_shape(op, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16,
                               DType::kInt32, DType::kUInt32, DType::kInt64, DType::kBool});
}

void eval(const EvalContext& run) {
  const DType type = run.state<SameShape>().type;
  if (type == DType::kBool) {
    return map_same_shape<uint8_t>(run,
                                   [](uint8_t a, uint8_t b) { return uint8_t{a != 0 && b != 0}; });
  }
  by_size(dtype_size(type), [&](auto of) {
    using T = decltype(of);
    map_same_shape<T>(run, [](T a, T b) { return static_cast<T>(a & b); });
  });
}

}  // namespace

extern const OpDef op_stablehlo_and{check, infer_same_shape, prepare_same_shape, eval};

}  // namespace edge
