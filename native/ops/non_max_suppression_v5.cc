// NON_MAX_SUPPRESSION_V5
#include "ops/support/selection.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_selection(op, /*soft=*/true); }

}  // namespace

extern const OpDef op_non_max_suppression_v5{check, infer_selection, prepare_selection,
                                             eval_selection};

}  // namespace edge
