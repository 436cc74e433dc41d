// REDUCE_ANY: whether one of the elements along the reduced axes is true.
#include "ops/support/reduce.h"

namespace edge {
namespace {

Status check(const OpView& op) { return check_reduce(op, {DType::kBool}); }

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(op.make_state<Reduction>(), make_reduction(op));
  return {};
}

void eval(const EvalContext& run) {
  reduce(run.state<Reduction>(), uint8_t{false}, run.in<uint8_t>(0), run.out<uint8_t>(0),
         [](uint8_t a, uint8_t b) { return uint8_t{a != 0 || b != 0}; });
}

}  // namespace

extern const OpDef op_reduce_any{check, infer_reduce, prepare, eval};

}  // namespace edge
