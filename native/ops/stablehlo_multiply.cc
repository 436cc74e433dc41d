// STABLEHLO_MULTIPLY: a * b; whether both are true, of bools.
#include "ops/support/stablehlo.h"

namespace edge {
namespace {

struct F {
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_product(a, b);
  }
};

}  // namespace

extern const OpDef op_stablehlo_multiply{check_numbers, infer_same_shape, prepare_same_shape,
                                         eval_numbers<F>};

}  // namespace edge
