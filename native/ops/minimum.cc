// MINIMUM: the smaller of a and b, broadcast.
#include "ops/support/min_max.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) { return prepare_min_max(op, elementwise::OpF32::kMin); }

void eval(const EvalContext& run) {
  eval_min_max(run, [](auto a, auto b) { return a < b ? a : b; });
}

}  // namespace

extern const OpDef op_minimum{check_min_max, infer_binary, prepare, eval};

}  // namespace edge
