// READ_VARIABLE: the bytes that a variable has now.
#include <cstring>

#include "ops/op.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  if (op.in(0).spec.dtype != DType::kResource) return op.expect_output_as_input();
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = op.in(0).spec.shape;
  return {};
}

Status prepare(PrepareContext& op) {
  if (!op.in(0).variable) return unsupported("its variable is known only while running");
  const TensorSpec& x = op.in(0).spec;
  EDGE_ASSIGN(op.make_state<size_t>(), byte_size(x.dtype, x.shape));
  return {};
}

void eval(const EvalContext& run) {
  const size_t bytes = run.state<size_t>();
  if (bytes) std::memcpy(run.out<uint8_t>(0), run.in<uint8_t>(0), bytes);
}

}  // namespace

extern const OpDef op_read_variable{check, infer, prepare, eval};

}  // namespace edge
