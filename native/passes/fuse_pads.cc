#include <cstring>

#include "passes/passes.h"

namespace edge {
namespace {

// The border that a PAD puts around height and width, if it pads nothing else.
bool border_of(const Graph& graph, const Node& pad, Border* border) {
  const Value& in = graph.values[static_cast<size_t>(pad.inputs[0])];
  const Value& out = graph.values[static_cast<size_t>(pad.outputs[0])];
  const Value& amounts = graph.values[static_cast<size_t>(pad.inputs[1])];
  if (in.open || !amounts.constant || in.spec.shape.rank() != 4 || amounts.spec.shape.count() != 8)
    return false;
  if (in.spec.dtype != DType::kFloat32 && !(in.spec.quant == out.spec.quant)) return false;
  int64_t p[8];
  for (int i = 0; i < 8; ++i) {
    if (amounts.spec.dtype == DType::kInt64) {
      std::memcpy(&p[i], amounts.data.data() + 8 * i, 8);
    } else {
      int32_t narrow;
      std::memcpy(&narrow, amounts.data.data() + 4 * i, 4);
      p[i] = narrow;
    }
  }
  if (p[0] || p[1] || p[6] || p[7]) return false;
  *border = {static_cast<int>(p[2]), static_cast<int>(p[3]), static_cast<int>(p[4]),
             static_cast<int>(p[5])};
  return true;
}

bool takes_border(const Node& node) {
  if (node.border.any()) return false;
  if (auto* a = std::get_if<Conv2DAttributes>(&node.attributes)) {
    return node.opcode == opcode::kCONV_2D && a->padding == Padding::kValid;
  }
  if (auto* a = std::get_if<DepthwiseConv2DAttributes>(&node.attributes)) {
    return node.opcode == opcode::kDEPTHWISE_CONV_2D && a->padding == Padding::kValid;
  }
  return false;
}

}  // namespace

// conv(pad(x; border); VALID) = conv(x; border): PAD fills with the zero point, which is what a
// convolution takes for the cells outside.
Status fuse_pads(Graph* graph) {
  const auto readers = readers_of(*graph);
  const auto is_output = output_flags(*graph);
  std::vector<char> dead(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    const Node& pad = graph->nodes[n];
    Border border;
    if (pad.opcode != opcode::kPAD || is_output[static_cast<size_t>(pad.outputs[0])]) continue;
    if (!border_of(*graph, pad, &border)) continue;
    const int padded = pad.outputs[0], plain = pad.inputs[0];
    const std::vector<int>& users = readers[static_cast<size_t>(padded)];
    bool all = !users.empty();
    for (int u : users) {
      const Node& user = graph->nodes[static_cast<size_t>(u)];
      // The padded value must be the picture, not the filter or the bias.
      all = all && takes_border(user) && user.inputs[0] == padded && user.input(1) != padded &&
            user.input(2) != padded;
    }
    if (!all) continue;
    for (int u : users) {
      Node& user = graph->nodes[static_cast<size_t>(u)];
      user.inputs[0] = plain;
      user.border = border;
      user.origin.insert(user.origin.begin(), pad.origin.begin(), pad.origin.end());
    }
    dead[n] = 1;
  }
  erase_nodes(graph, dead);
  return {};
}

}  // namespace edge
