// FLOOR_DIV: a / b rounded down, broadcast. Codes are divided as they are. The run fails
// where a divisor is 0.
#include <cmath>

#include "ops/support/binary.h"
#include "ops/support/divisor.h"

namespace edge {
namespace {

// In 64 bits, where the lowest integer divided by -1 is no overflow; its result then wraps.
int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

Status check(const OpView& op) {
  return check_binary(op, {DType::kFloat32, DType::kInt32, DType::kInt8, DType::kInt16});
}

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

template <typename T>
void eval_integer(const EvalContext& run, const Binary& state) {
  if (!check_divisors(run, state.count_b, T{0})) return;
  map_binary<T>(run, state.shape, [](T a, T b) { return static_cast<T>(floor_divide(a, b)); });
}

void eval(const EvalContext& run) {
  const Binary& state = run.state<Binary>();
  switch (state.type) {
    case DType::kInt32:
      return eval_integer<int32_t>(run, state);
    case DType::kInt8:
      return eval_integer<int8_t>(run, state);
    case DType::kInt16:
      return eval_integer<int16_t>(run, state);
    default:
      if (!check_divisors(run, state.count_b, 0.f)) return;
      // In double, so that a quotient just below a whole number is not rounded up to it.
      return map_binary<float>(run, state.shape, [](float a, float b) {
        return static_cast<float>(std::floor(double{a} / double{b}));
      });
  }
}

}  // namespace

extern const OpDef op_floor_div{check, infer_binary, prepare, eval};

}  // namespace edge
