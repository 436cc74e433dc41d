// READ_VARIABLE: what was assigned to a variable last. Its shape is known only while running, but
// where all that the model assigns has the shape that the file says (Node::fixed).
#include <cstring>

#include "ops/resources.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kResource}));
  if (dtype_size(op.out(0).spec.dtype) > 0) return {};
  return unsupported(format("variables of %s", dtype_name(op.out(0).spec.dtype)));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (op.node().fixed) {
    (*shapes)[0] = op.out(0).spec.shape;
    return {};
  }
  EDGE_ASSIGN(const Resources* resources, op.resources());
  EDGE_ASSIGN(const Span<const uint8_t> number, op.known(0));
  if (number.size() != 4) return invalid_model("its variable is not one");
  const Variable* variable = resources->find_variable(resource_number(number.data()));
  if (!variable || !variable->assigned) {
    return invalid_argument("the variable has no value: nothing was assigned to it yet");
  }
  (*shapes)[0] = variable->shape;
  return {};
}

Status prepare(PrepareContext& op) {
  if (op.in(0).spec.shape.count() != 1) return invalid_model("its variable is not one");
  op.make_state<TensorSpec>() = op.out(0).spec;
  return {};
}

void eval(const EvalContext& run) {
  const TensorSpec& spec = run.state<TensorSpec>();
  const Variable* variable = run.resources().find_variable(resource_number(run.in<uint8_t>(0)));
  if (!variable || !variable->assigned) {
    return run.fail(invalid_argument("the variable has no value: nothing was assigned to it yet"));
  }
  if (variable->dtype != spec.dtype || variable->shape != spec.shape) {
    return run.fail(
        invalid_argument(format("the variable holds %s%s, wanted %s%s", dtype_name(variable->dtype),
                                to_string(variable->shape).c_str(), dtype_name(spec.dtype),
                                to_string(spec.shape).c_str())));
  }
  const size_t bytes = *byte_size(spec.dtype, spec.shape);
  if (bytes) std::memcpy(run.out<uint8_t>(0), variable->bytes.data(), bytes);
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_read_variable = make_def();

}  // namespace edge
