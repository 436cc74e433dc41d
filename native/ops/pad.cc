// PAD: a border of zeros (the zero point of quantized types) around the input.
#include "ops/support/pad.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(check_pad(op, 2));
  // The border's code must exist in the type.
  return op.out(0).spec.quant.scale.empty() ? Status() : op.expect_quantized(op.out(0));
}

}  // namespace

extern const OpDef op_pad{check, infer_pad, prepare_pad, eval_pad};

}  // namespace edge
