// DENSIFY: its input, a sparse constant of the file, which the reader has made dense.
#include "ops/support/movement.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(expect_movable(op, 0));
  return op.expect_output_as_input();
}

}  // namespace

extern const OpDef op_densify{check,           infer_unary, prepare_same_bytes,
                              eval_same_bytes, nullptr,
                              /*alias=*/true};

}  // namespace edge
