// WHILE: values, changed by one graph as long as another one says so.
#include "ops/support/calls.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_calls<WhileAttributes>(op, 0); }

}  // namespace

extern const OpDef op_while = calling_op(check);

}  // namespace edge
