// SELECT and SELECT_V2: y = condition ? a : b.
#pragma once

#include "ops/op.h"
#include "ops/support/walk.h"

namespace edge {

struct Select {
  Walk<4> walk;  // condition, a, b, output
  size_t element = 0;
};

Status check_select(const OpView& op);

// `condition`: input 0's shape, as it is laid along the output's axes from the last one on.
Status prepare_select(PrepareContext& op, const Shape& condition);
void eval_select(const EvalContext& run);

}  // namespace edge
