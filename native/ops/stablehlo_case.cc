// STABLEHLO_CASE: runs one of several graphs on inputs 1 to n, by the number in input 0; the last
// one for a number that none has.
#include "ops/support/calls.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_calls<CaseAttributes>(op, 1));
  if (op.attributes<CaseAttributes>().graphs.empty()) return invalid_model("it has no branches");
  return op.expect_input(0, {DType::kInt32});
}

}  // namespace

extern const OpDef op_stablehlo_case = calling_op(check);

}  // namespace edge
