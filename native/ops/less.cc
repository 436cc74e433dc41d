// LESS: whether a < b, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_less{check_order, infer_binary, prepare_comparison<Relation::kLess>,
                           eval_comparison};

}  // namespace edge
