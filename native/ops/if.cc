// IF: runs one of two graphs on inputs 1 to n, by the truth of input 0.
#include "ops/support/calls.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_calls<IfAttributes>(op, 1); }

}  // namespace

extern const OpDef op_if = calling_op(check);

}  // namespace edge
