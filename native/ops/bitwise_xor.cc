// BITWISE_XOR: the bits that a and b differ in, broadcast.
#include "ops/support/binary.h"
#include "ops/support/by_type.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_binary(op, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16,
                           DType::kInt32, DType::kUInt32, DType::kInt64, DType::kBool});
}

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

void eval(const EvalContext& run) {
  const Binary& s = run.state<Binary>();
  by_size(dtype_size(s.type), [&](auto of) {
    using T = decltype(of);
    map_binary<T>(run, s.shape, [](T a, T b) { return static_cast<T>(a ^ b); });
  });
}

}  // namespace

extern const OpDef op_bitwise_xor{check, infer_binary, prepare, eval};

}  // namespace edge
