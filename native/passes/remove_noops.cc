#include "passes/passes.h"

namespace edge {
namespace {

bool same_codes(const TensorSpec& a, const TensorSpec& b) {
  return a.dtype == b.dtype && a.quant == b.quant;
}

bool quantized8(const TensorSpec& s) { return s.dtype == DType::kInt8 || s.dtype == DType::kUInt8; }

}  // namespace

// quantize(x) = x where x has the same codes already, and
// quantize(dequantize(x)) = x where both have one quantization: (k * s) / s rounds to k for |k| <=
// 255. What only a removed node read is left to be run if somebody else reads it, and erased
// otherwise.
Status remove_noops(Graph* graph) {
  const auto is_output = output_flags(*graph);
  std::vector<int> writer(graph->values.size(), -1);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    for (int o : graph->nodes[n].outputs) writer[static_cast<size_t>(o)] = static_cast<int>(n);
  }
  std::vector<int> same(graph->values.size());  // the value to read instead
  for (size_t i = 0; i < same.size(); ++i) same[i] = static_cast<int>(i);
  std::vector<char> dead(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    Node& node = graph->nodes[n];
    for (int& i : node.inputs) {
      if (i != kAbsent) i = same[static_cast<size_t>(i)];
    }
    if (node.opcode != opcode::kQUANTIZE || is_output[static_cast<size_t>(node.outputs[0])])
      continue;
    const TensorSpec& out = graph->values[static_cast<size_t>(node.outputs[0])].spec;
    int source = node.inputs[0];
    const int before = writer[static_cast<size_t>(source)];
    if (before >= 0 && graph->nodes[static_cast<size_t>(before)].opcode == opcode::kDEQUANTIZE) {
      source = graph->nodes[static_cast<size_t>(before)].inputs[0];
    }
    if (!quantized8(out) || !same_codes(graph->values[static_cast<size_t>(source)].spec, out))
      continue;
    same[static_cast<size_t>(node.outputs[0])] = source;
    dead[n] = 1;
  }
  erase_nodes(graph, dead);
  // DEQUANTIZE nodes that nobody reads any more.
  const auto readers = readers_of(*graph);
  dead.assign(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    const Node& node = graph->nodes[n];
    if (node.opcode != opcode::kDEQUANTIZE) continue;
    const size_t out = static_cast<size_t>(node.outputs[0]);
    dead[n] = readers[out].empty() && !is_output[out];
  }
  erase_nodes(graph, dead);
  return {};
}

}  // namespace edge
