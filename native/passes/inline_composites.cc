#include <algorithm>

#include "passes/passes.h"

namespace edge {
namespace {

const CompositeAttributes* composite(const Node& node) {
  if (node.opcode != opcode::kSTABLEHLO_COMPOSITE) return nullptr;
  return std::get_if<CompositeAttributes>(&node.attributes);
}

// Which value of the caller stands for each one of the decomposition.
Result<std::vector<int>> match(const Graph& inner, const Node& node, Graph* graph) {
  if (inner.inputs.size() != node.inputs.size() || inner.outputs.size() != node.outputs.size()) {
    return invalid_model("its subgraph has other inputs and outputs");
  }
  std::vector<int> outer(inner.values.size(), kAbsent);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const size_t in = static_cast<size_t>(inner.inputs[i]);
    if (node.inputs[i] == kAbsent) return invalid_model(format("its input %zu is missing", i));
    if (outer[in] != kAbsent || graph->values[static_cast<size_t>(node.inputs[i])].spec.dtype !=
                                    inner.values[in].spec.dtype) {
      return invalid_model(format("its input %zu does not suit its subgraph", i));
    }
    outer[in] = node.inputs[i];
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const size_t out = static_cast<size_t>(inner.outputs[i]);
    const Value& v = inner.values[out];
    if (outer[out] != kAbsent || v.constant || v.variable) {
      return unsupported(format("its output %zu is no result of its subgraph's ops", i));
    }
    if (graph->values[static_cast<size_t>(node.outputs[i])].spec.dtype != v.spec.dtype) {
      return invalid_model(format("its output %zu does not suit its subgraph", i));
    }
    outer[out] = node.outputs[i];
  }
  for (size_t i = 0; i < outer.size(); ++i) {
    if (outer[i] != kAbsent) continue;
    outer[i] = static_cast<int>(graph->values.size());
    graph->values.push_back(inner.values[i]);
  }
  return outer;
}

}  // namespace

// composite(x) = decomposition(x)
Status inline_composites(const std::vector<Graph>& graphs, int64_t limit, Graph* graph) {
  // The last node first; what a composite holds is looked at next.
  std::vector<Node> open(std::make_move_iterator(graph->nodes.rbegin()),
                         std::make_move_iterator(graph->nodes.rend()));
  graph->nodes.clear();
  while (!open.empty()) {
    Node node = std::move(open.back());
    open.pop_back();
    const CompositeAttributes* a = composite(node);
    if (!a) {
      graph->nodes.push_back(std::move(node));
      continue;
    }
    const Graph& inner = graphs[static_cast<size_t>(a->subgraph)];
    const size_t all = graph->values.size() + inner.values.size() + graph->nodes.size() +
                       open.size() + inner.nodes.size();
    if (all > static_cast<size_t>(limit)) {
      return Status(Code::kResource, "its composites hold too many tensors");
    }
    auto outer = match(inner, node, graph);
    if (!outer.ok()) {
      return outer.status().at(format("op %d %.100s", node.origin[0], node.name().c_str()));
    }
    const auto rename = [&](std::vector<int>* values) {
      for (int& i : *values) {
        if (i != kAbsent) i = (*outer)[static_cast<size_t>(i)];
      }
    };
    for (size_t n = inner.nodes.size(); n-- > 0;) {
      Node copy = inner.nodes[n];
      rename(&copy.inputs);
      rename(&copy.outputs);
      rename(&copy.intermediates);
      copy.origin = node.origin;
      open.push_back(std::move(copy));
    }
  }
  return {};
}

}  // namespace edge
