// GREATER_EQUAL: whether a >= b, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_greater_equal{check_order, infer_binary,
                                    prepare_comparison<Relation::kGreaterEqual>, eval_comparison};

}  // namespace edge
