// RELU: max(x, 0).
#include "ops/support/rectifier.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) { return prepare_rectifier(op, Activation::kRelu); }

}  // namespace

extern const OpDef op_relu{check_rectifier, infer_unary, prepare, eval_rectifier};

}  // namespace edge
