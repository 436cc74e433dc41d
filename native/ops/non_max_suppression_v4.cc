// NON_MAX_SUPPRESSION_V4
#include "ops/support/selection.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_selection(op, /*soft=*/false); }

}  // namespace

extern const OpDef op_non_max_suppression_v4{check, infer_selection, prepare_selection,
                                             eval_selection};

}  // namespace edge
