// STABLEHLO_AND: the bits that both a and b have.
#include <functional>

#include "ops/support/stablehlo.h"

namespace edge {

extern const OpDef op_stablehlo_and{check_bits, infer_same_shape, prepare_same_shape,
                                    eval_bits<std::bit_and<>>};

}  // namespace edge
