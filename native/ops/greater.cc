// GREATER: whether a > b, broadcast.
#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_greater{check_order, infer_binary, prepare_comparison<Relation::kGreater>,
                              eval_comparison};

}  // namespace edge
