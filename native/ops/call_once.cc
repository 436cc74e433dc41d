// CALL_ONCE: runs a graph that initializes variables and tables, in the first run of a session.
#include "ops/support/calls.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_calls<CallOnceAttributes>(op, 0); }

}  // namespace

extern const OpDef op_call_once = calling_op(check);

}  // namespace edge
