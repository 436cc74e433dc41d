// NOT_EQUAL: whether a and b differ, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_not_equal{check_equality, infer_binary,
                                prepare_comparison<Relation::kNotEqual>, eval_comparison};

}  // namespace edge
