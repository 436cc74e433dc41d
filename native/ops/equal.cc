// EQUAL: whether a = b, broadcast.
#include <functional>

#include "ops/support/comparison.h"

namespace edge {

extern const OpDef op_equal{check_equality, infer_binary, prepare_comparison,
                            eval_comparison<std::equal_to<>>};

}  // namespace edge
