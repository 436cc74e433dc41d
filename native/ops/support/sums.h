// SUM and MEAN.
#pragma once

#include "ops/op.h"

namespace edge {

enum class Average { kSum, kMean };

Status check_sum(const OpView& op);
template <Average kAverage>
Status prepare_sum(PrepareContext& op);
void eval_sum(const EvalContext& run);

}  // namespace edge
