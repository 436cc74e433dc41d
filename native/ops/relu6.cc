// RELU6: x cut to [0, 6].
#include "ops/support/rectifier.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

Status prepare(PrepareContext& op) { return prepare_rectifier(op, Activation::kRelu6); }

}  // namespace

extern const OpDef op_relu6{check_rectifier, infer_unary, prepare, eval_rectifier};

}  // namespace edge
