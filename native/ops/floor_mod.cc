// FLOOR_MOD: what FLOOR_DIV leaves, with the sign of b, broadcast. 8-bit codes are taken as they
// are. The run fails where an integer divisor is 0.
#include <cmath>

#include "ops/support/binary.h"
#include "ops/support/divisor.h"

namespace edge {
namespace {

template <typename T>
T floor_modulo(T a, T b) {
  if (b == -1) return 0;  // nothing is left, but dividing the lowest integer would trap
  const T rest = static_cast<T>(a % b);
  return static_cast<T>(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
}

template <>
float floor_modulo(float a, float b) {
  const float rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Status check(const OpView& op) {
  return check_binary(op,
                      {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

template <typename T>
void eval_integer(const EvalContext& run, const Binary& state) {
  if (!check_divisors(run, state.count_b, T{0})) return;
  map_binary<T>(run, state.shape, floor_modulo<T>);
}

void eval(const EvalContext& run) {
  const Binary& state = run.state<Binary>();
  switch (state.type) {
    case DType::kInt32:
      return eval_integer<int32_t>(run, state);
    case DType::kInt64:
      return eval_integer<int64_t>(run, state);
    case DType::kInt8:
      return eval_integer<int8_t>(run, state);
    case DType::kInt16:
      return eval_integer<int16_t>(run, state);
    default:
      return map_binary<float>(run, state.shape, floor_modulo<float>);
  }
}

}  // namespace

extern const OpDef op_floor_mod{check, infer_binary, prepare, eval};

}  // namespace edge
