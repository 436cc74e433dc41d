// ADD and SUB: a + sign * b.
#pragma once

#include "ops/support/arithmetic.h"

namespace edge {

Status check_add_sub(const OpView& op);
Status prepare_add_sub(PrepareContext& op, int sign, Activation activation);

}  // namespace edge
