// LOGICAL_OR: a or b, broadcast.
#include "ops/support/binary.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_binary(op, {DType::kBool}); }

Status prepare(PrepareContext& op) { return prepare_binary(op, &op.make_state<Binary>()); }

void eval(const EvalContext& run) {
  map_binary<uint8_t>(run, run.state<Binary>().shape,
                      [](uint8_t a, uint8_t b) { return uint8_t{a != 0 || b != 0}; });
}

}  // namespace

extern const OpDef op_logical_or{check, infer_binary, prepare, eval};

}  // namespace edge
