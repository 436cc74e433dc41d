// RELU_0_TO_1: x cut to [0, 1].
#include "ops/support/rectifier.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) {
  Range range;
  if (is_coded(op.out(0).spec.dtype)) {
    EDGE_ASSIGN(const Range from_0, activation_range(Activation::kRelu, op.out(0).spec));
    EDGE_ASSIGN(const Range to_1, activation_range(Activation::kReluN1To1, op.out(0).spec));
    range = {from_0.low, to_1.high};
  }
  return prepare_rectifier(op, FloatRange{0, 1}, range);
}

}  // namespace

extern const OpDef op_relu_0_to_1{check_rectifier, infer_unary, prepare, eval_rectifier};

}  // namespace edge
