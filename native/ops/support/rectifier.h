// RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1: ops that clamp, and rescale 8-bit codes on the way.
#pragma once

#include "ops/op.h"
#include "ops/support/quantize.h"

namespace edge {

Status check_rectifier(const OpView& op);
Status prepare_rectifier(PrepareContext& op, Activation activation);

// The same for a range without a name; `codes` is that of 8-bit outputs.
Status prepare_rectifier(PrepareContext& op, FloatRange range, Range codes);
void eval_rectifier(const EvalContext& run);

}  // namespace edge
