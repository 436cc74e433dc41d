// CALL_ONCE: what runs before the first run. Plans start with its results
// (passes/resolve_calls.cc).
#include "ops/support/resolved.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<CallOnceAttributes>());
  return op.expect_arity(0, 0, 0);
}

}  // namespace

extern const OpDef op_call_once{check, infer_resolved, prepare_resolved, nullptr};

}  // namespace edge
