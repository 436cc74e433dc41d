// PAD and PADV2: the input inside of a border, `before` and `after` cells along each axis.
#pragma once

#include "ops/op.h"

namespace edge {

// `inputs`: 2, or 3 where the border's value is the last.
Status check_pad(const OpView& op, size_t inputs);
Status infer_pad(const OpView& op, std::vector<Shape>* shapes);
Status prepare_pad(PrepareContext& op);

// The border holds the output's zero point, or input 2 where the op has one.
void eval_pad(const EvalContext& run);

}  // namespace edge
