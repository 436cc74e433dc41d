// RANK: the number of the input's axes.
#include "ops/op.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  return op.expect_output(0, {DType::kInt32});
}

Status infer(const OpView&, std::vector<Shape>* shapes) {
  (*shapes)[0] = {};
  return {};
}

Status prepare(PrepareContext& op) {
  op.make_state<int32_t>() = op.in(0).spec.shape.rank();
  return {};
}

void eval(const EvalContext& run) { *run.out<int32_t>(0) = run.state<int32_t>(); }

}  // namespace

extern const OpDef op_rank{
    check, infer, prepare, eval, nullptr, /*alias=*/false, /*shape_only=*/true};

}  // namespace edge
