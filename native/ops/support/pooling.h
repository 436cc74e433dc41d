// What AVERAGE_POOL_2D and MAX_POOL_2D share: windows over a picture, reduced channel by channel.
#pragma once

#include "ops/op.h"

namespace edge {

Status check_pool(const OpView& op);
Status infer_pool(const OpView& op, std::vector<Shape>* shapes);
Status prepare_pool(PrepareContext& op, bool average);
void eval_pool(const EvalContext& run);

}  // namespace edge
