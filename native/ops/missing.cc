#include "ops/op.h"

namespace edge {

std::string why_missing(const Node& node) {
  if (node.opcode != opcode::kCUSTOM) return "this op is not among ours";
  const std::string& name = node.custom_name;
  if (name == "edgetpu-custom-op") {
    return "it was compiled for the Edge TPU and runs on one alone, through its delegate";
  }
  if (name == "DISPATCH_OP") {
    return "it was compiled for a neural processor and runs on that alone, through its maker's "
           "library";
  }
  if (name.compare(0, 4, "Flex") == 0) {
    return "it is an operator of TensorFlow itself: convert the model without select TF ops, or "
           "give it a function with register_op";
  }
  if (name == "TFSentencepieceTokenizeOp") {
    return "it cuts text into pieces by rules of its own: do that before the model, or give it a "
           "function with register_op";
  }
  return "a custom op needs a function of yours: give it one with register_op";
}

}  // namespace edge
