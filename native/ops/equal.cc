// EQUAL: whether a = b, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_equal{check_equality, infer_binary, prepare_comparison<Relation::kEqual>,
                            eval_comparison};

}  // namespace edge
