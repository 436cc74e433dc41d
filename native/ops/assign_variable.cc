// ASSIGN_VARIABLE: a variable takes the bytes of a tensor.
#include <cstring>

#include "ops/op.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 0));
  if (op.in(0).spec.dtype == DType::kResource) return {};
  return op.expect_input(1, {op.in(0).spec.dtype});
}

Status infer(const OpView&, std::vector<Shape>*) { return {}; }

Status prepare(PrepareContext& op) {
  const TensorSpec& variable = op.in(0).spec;
  const TensorSpec& x = op.in(1).spec;
  if (!op.in(0).variable) return unsupported("its variable is known only while running");
  if (x.shape.count() != variable.shape.count()) {
    return unsupported(format("a variable of shape %s is given %s",
                              to_string(variable.shape).c_str(), to_string(x.shape).c_str()));
  }
  EDGE_ASSIGN(op.make_state<size_t>(), byte_size(x.dtype, x.shape));
  return {};
}

void eval(const EvalContext& run) {
  const size_t bytes = run.state<size_t>();
  // A variable's input is the variable itself.
  if (bytes) std::memcpy(const_cast<uint8_t*>(run.in<uint8_t>(0)), run.in<uint8_t>(1), bytes);
}

}  // namespace

extern const OpDef op_assign_variable{check, infer, prepare, eval};

}  // namespace edge
