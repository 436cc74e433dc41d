// ZEROS_LIKE: zeros in the shape of the input.
#include <cstring>

#include "ops/support/movement.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32, DType::kInt32, DType::kInt64}));
  return op.expect_output_as_input();
}

void eval(const EvalContext& run) {
  const size_t bytes = run.state<size_t>();
  if (bytes) std::memset(run.out<uint8_t>(0), 0, bytes);
}

}  // namespace

extern const OpDef op_zeros_like{check,   infer_unary,     prepare_same_bytes, eval,
                                 nullptr, /*alias=*/false, /*shape_only=*/true};

}  // namespace edge
