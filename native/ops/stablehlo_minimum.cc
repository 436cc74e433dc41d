// STABLEHLO_MINIMUM: the smaller of a and b.
#include "ops/support/stablehlo.h"

namespace edge {
namespace {

struct F {
  template <typename T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

}  // namespace

extern const OpDef op_stablehlo_minimum{check_numbers, infer_same_shape, prepare_same_shape,
                                        eval_numbers<F>};

}  // namespace edge
