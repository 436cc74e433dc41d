// NON_MAX_SUPPRESSION_V4 and V5: boxes chosen by score, each of which overlaps those before it by
// less than a threshold; V5 may weaken the scores of those that overlap instead ("soft").
#pragma once

#include "ops/op.h"

namespace edge {

// `soft`: six inputs instead of five, and the chosen scores among the outputs.
Status check_selection(const OpView& op, bool soft);
Status infer_selection(const OpView& op, std::vector<Shape>* shapes);
Status prepare_selection(PrepareContext& op);
void eval_selection(const EvalContext& run);

}  // namespace edge
