// RANDOM_UNIFORM: numbers in [0, 1).
#include "ops/support/random.h"

namespace edge {
namespace {

void eval(const EvalContext& run) {
  eval_random_floats(run, [](const Four& bits, float* out) {
    for (size_t i = 0; i < bits.size(); ++i) out[i] = unit_float(bits[i]);
  });
}

}  // namespace

extern const OpDef op_random_uniform =
    random_op({check_random_floats, infer_random_floats, prepare_random_floats, eval});

}  // namespace edge
