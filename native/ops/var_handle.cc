// VAR_HANDLE: names a variable. Plans hold the variable itself (passes/resolve_calls.cc).
#include "ops/support/resolved.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<VarHandleAttributes>());
  EDGE_TRY(op.expect_arity(0, 0, 1));
  return op.expect_output(0, {DType::kResource});
}

}  // namespace

extern const OpDef op_var_handle{check, infer_resolved, prepare_resolved, nullptr};

}  // namespace edge
