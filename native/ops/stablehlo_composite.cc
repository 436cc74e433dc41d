// STABLEHLO_COMPOSITE: what its decomposition does, which planning puts in its place.
#include "ops/support/calls.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_calls<CompositeAttributes>(op, 0); }

}  // namespace

extern const OpDef op_stablehlo_composite = calling_op(check);

}  // namespace edge
