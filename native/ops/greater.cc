// GREATER: whether a > b, broadcast.
#include <functional>

#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_greater{check_order, infer_binary, prepare_comparison,
                              eval_comparison<std::greater<>>};

}  // namespace edge
