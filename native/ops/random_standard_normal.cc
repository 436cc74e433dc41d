// RANDOM_STANDARD_NORMAL: numbers of the standard normal distribution, two at a time from two of
// the uniform one (the transform of Box and Muller).
#include <algorithm>

#include "ops/support/random.h"

namespace edge {
namespace {

void eval(const EvalContext& run) {
  eval_random_floats(run, [](const Four& bits, float* out) {
    for (size_t i = 0; i < bits.size(); i += 2) {
      constexpr float kTwoPi = 6.28318530717958647692f;
      const float radius = std::sqrt(-2.f * std::log(std::max(unit_float(bits[i]), 1e-7f)));
      const float angle = kTwoPi * unit_float(bits[i + 1]);
      out[i] = std::sin(angle) * radius;
      out[i + 1] = std::cos(angle) * radius;
    }
  });
}

}  // namespace

extern const OpDef op_random_standard_normal =
    random_op({check_random_floats, infer_random_floats, prepare_random_floats, eval});

}  // namespace edge
