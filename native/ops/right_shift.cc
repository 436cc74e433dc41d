// RIGHT_SHIFT: a's bits moved down by b, broadcast; copies of the sign bit follow. b is cut to the
// bits that there are.
#include <algorithm>

#include "ops/support/binary.h"
#include "ops/support/by_type.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  return check_binary(op, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16,
                           DType::kInt32, DType::kUInt32, DType::kInt64});
}

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

void eval(const EvalContext& run) {
  const Binary& s = run.state<Binary>();
  by_type<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    map_binary<T>(run, s.shape, [](T a, T b) {
      const T by = std::min(std::max(b, T{0}), static_cast<T>(8 * sizeof(T) - 1));
      return static_cast<T>(a >> by);
    });
  });
}

}  // namespace

extern const OpDef op_right_shift{check, infer_binary, prepare, eval};

}  // namespace edge
