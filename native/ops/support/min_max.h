// MINIMUM and MAXIMUM: the smaller or larger of two broadcast operands. 8-bit codes are compared as
// they are: TFLite expects one quantization of all three tensors.
#pragma once

#include <limits>

#include "ops/support/binary.h"

namespace edge {

inline Status check_min_max(const OpView& op) {
  return check_binary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                           DType::kInt32, DType::kInt64});
}

inline Status prepare_min_max(PrepareContext& op, elementwise::OpF32 kernel) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return prepare_binary(op, kernel, {-kInfinity, kInfinity}, &op.make_state<Binary>());
}

template <typename F>
void eval_min_max(const EvalContext& run, const F& f) {
  const Binary& state = run.state<Binary>();
  switch (state.type) {
    case DType::kInt8:
      return map_binary<int8_t>(run, state.shape, f);
    case DType::kUInt8:
      return map_binary<uint8_t>(run, state.shape, f);
    case DType::kInt16:
      return map_binary<int16_t>(run, state.shape, f);
    case DType::kInt32:
      return map_binary<int32_t>(run, state.shape, f);
    case DType::kInt64:
      return map_binary<int64_t>(run, state.shape, f);
    default:
      return eval_f32(run, state);
  }
}

}  // namespace edge
