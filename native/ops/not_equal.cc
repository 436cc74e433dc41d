// NOT_EQUAL: whether a and b differ, broadcast.
#include <functional>

#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_not_equal{check_equality, infer_binary, prepare_comparison,
                                eval_comparison<std::not_equal_to<>>};

}  // namespace edge
