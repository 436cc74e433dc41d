// ASSIGN_VARIABLE: gives a variable a value, with its shape.
#include <cstring>

#include "ops/resources.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 0));
  EDGE_TRY(op.expect_input(0, {DType::kResource}));
  return expect_movable(op, 1);
}

Status infer(const OpView&, std::vector<Shape>*) { return {}; }

Status prepare(PrepareContext& op) {
  if (op.in(0).spec.shape.count() != 1) return invalid_model("its variable is not one");
  op.make_state<TensorSpec>() = op.in(1).spec;
  return {};
}

void eval(const EvalContext& run) {
  const TensorSpec& spec = run.state<TensorSpec>();
  Variable* variable = run.resources().find_variable(resource_number(run.in<uint8_t>(0)));
  if (!variable) return run.fail(invalid_argument("it assigns to no variable"));
  const Result<uint8_t*> to = run.resources().assign(variable, spec);
  if (!to.ok()) return run.fail(to.status());
  const size_t bytes = *byte_size(spec.dtype, spec.shape);
  if (bytes) std::memcpy(*to, run.in<uint8_t>(1), bytes);
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_assign_variable = make_def();

}  // namespace edge
