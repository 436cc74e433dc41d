// RELU, RELU6, RELU_N1_TO_1: ops that clamp, and rescale 8-bit codes on the way.
#pragma once

#include "ops/op.h"

namespace edge {

Status check_rectifier(const OpView& op);
Status prepare_rectifier(PrepareContext& op, Activation activation);
void eval_rectifier(const EvalContext& run);

}  // namespace edge
