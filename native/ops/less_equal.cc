// LESS_EQUAL: whether a <= b, broadcast.
#include <functional>

#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_less_equal{check_order, infer_binary, prepare_comparison,
                                 eval_comparison<std::less_equal<>>};

}  // namespace edge
