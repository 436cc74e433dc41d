// MAX_POOL_2D: the largest value of each window, channel by channel; cells outside of the picture
// do not count.
#include "ops/support/pooling.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) { return prepare_pool(op, /*average=*/false); }

}  // namespace

extern const OpDef op_max_pool_2d{check_pool, infer_pool, prepare, eval_pool};

}  // namespace edge
