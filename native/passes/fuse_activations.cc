#include "passes/passes.h"

namespace edge {
namespace {

// The fused activation of a node that has one, or nullptr.
Activation* activation_of(Node* node) {
  switch (node->opcode) {
    case opcode::kCONV_2D:
      if (auto* a = std::get_if<Conv2DAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kDEPTHWISE_CONV_2D:
      if (auto* a = std::get_if<DepthwiseConv2DAttributes>(&node->attributes))
        return &a->activation;
      break;
    case opcode::kFULLY_CONNECTED:
      if (auto* a = std::get_if<FullyConnectedAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kTRANSPOSE_CONV:
      if (auto* a = std::get_if<TransposeConvAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kADD:
      if (auto* a = std::get_if<AddAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kSUB:
      if (auto* a = std::get_if<SubAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kMUL:
      if (auto* a = std::get_if<MulAttributes>(&node->attributes)) return &a->activation;
      break;
    case opcode::kDIV:
      if (auto* a = std::get_if<DivAttributes>(&node->attributes)) return &a->activation;
      break;
    default:
      break;
  }
  return nullptr;
}

Activation activation_op(const Node& node) {
  switch (node.opcode) {
    case opcode::kRELU:
      return Activation::kRelu;
    case opcode::kRELU6:
      return Activation::kRelu6;
    case opcode::kRELU_N1_TO_1:
      return Activation::kReluN1To1;
    default:
      return Activation::kNone;
  }
}

}  // namespace

// relu(f(x; NONE)) = f(x; RELU), for float32, and for 8-bit types where both outputs have one
// quantization: then the RELU op only clamps, at the codes where the fused one does.
Status fuse_activations(Graph* graph) {
  const auto readers = readers_of(*graph);
  const auto is_output = output_flags(*graph);
  std::vector<char> dead(graph->nodes.size(), 0);
  for (Node& node : graph->nodes) {
    Activation* activation = activation_of(&node);
    if (!activation || *activation != Activation::kNone || node.outputs.size() != 1) continue;
    const size_t out = static_cast<size_t>(node.outputs[0]);
    if (is_output[out] || readers[out].size() != 1) continue;
    const size_t next = static_cast<size_t>(readers[out][0]);
    const Node& relu = graph->nodes[next];
    const Activation fused = activation_op(relu);
    if (fused == Activation::kNone) continue;
    const TensorSpec& from = graph->values[out].spec;
    const TensorSpec& to = graph->values[static_cast<size_t>(relu.outputs[0])].spec;
    const bool exact =
        from.dtype == to.dtype && (from.dtype == DType::kFloat32 || from.quant == to.quant);
    if (!exact) continue;
    *activation = fused;
    node.outputs[0] = relu.outputs[0];
    node.origin.insert(node.origin.end(), relu.origin.begin(), relu.origin.end());
    dead[next] = 1;
  }
  erase_nodes(graph, dead);
  return {};
}

}  // namespace edge
