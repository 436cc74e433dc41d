// LESS_EQUAL: whether a <= b, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_less_equal{check_order, infer_binary,
                                 prepare_comparison<Relation::kLessEqual>, eval_comparison};

}  // namespace edge
