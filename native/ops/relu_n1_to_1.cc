// RELU_N1_TO_1: x cut to [-1, 1].
#include "ops/support/rectifier.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) { return prepare_rectifier(op, Activation::kReluN1To1); }

}  // namespace

extern const OpDef op_relu_n1_to_1{check_rectifier, infer_unary, prepare, eval_rectifier};

}  // namespace edge
