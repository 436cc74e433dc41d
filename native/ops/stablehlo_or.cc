// STABLEHLO_OR: the bits that a or b has, or both.
#include <functional>

#include "ops/support/stablehlo.h"

namespace edge {

extern const OpDef op_stablehlo_or{check_bits, infer_same_shape, prepare_same_shape,
                                   eval_bits<std::bit_or<>>};

}  // namespace edge
