// LOGICAL_NOT: not x.
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_unary(op, {DType::kBool}); }

Status prepare(PrepareContext& op) { return prepare_unary(op, &op.make_state<Unary>()); }

void eval(const EvalContext& run) {
  map_unary<uint8_t>(run, run.state<Unary>().count, [](uint8_t x) { return uint8_t{x == 0}; });
}

}  // namespace

extern const OpDef op_logical_not{check, infer_unary, prepare, eval};

}  // namespace edge
