// ADD and SUB: a + sign * b.
#pragma once

#include "ops/support/arithmetic.h"

namespace edge {

// `shifts`: int16 of scales that are powers of two are shifted, not multiplied, the option
// pot_scale_int16 of older files.
Status check_add_sub(const OpView& op, bool shifts);
Status prepare_add_sub(PrepareContext& op, int sign, Activation activation, bool shifts);

}  // namespace edge
