// POW: a to the power of b, broadcast. Integers wrap; the run fails where such a b is negative.
#include <algorithm>
#include <cmath>

#include "ops/support/binary.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_binary(op, {DType::kFloat32, DType::kInt32}); }

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

int32_t power(int32_t base, int32_t exponent) {
  uint32_t result = 1, square = static_cast<uint32_t>(base);
  for (; exponent > 0; exponent >>= 1, square *= square) {
    if (exponent & 1) result *= square;
  }
  return static_cast<int32_t>(result);
}

void eval(const EvalContext& run) {
  const Binary& s = run.state<Binary>();
  if (s.type == DType::kFloat32) {
    return map_binary<float>(run, s.shape, [](float a, float b) { return std::pow(a, b); });
  }
  const int32_t* b = run.in<int32_t>(1);
  if (std::any_of(b, b + s.count_b, [](int32_t x) { return x < 0; })) {
    return run.fail(invalid_argument("a negative power of integers"));
  }
  map_binary<int32_t>(run, s.shape, power);
}

}  // namespace

extern const OpDef op_pow{check, infer_binary, prepare, eval};

}  // namespace edge
