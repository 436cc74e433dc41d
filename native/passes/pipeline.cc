#include "passes/passes.h"

namespace edge {

std::vector<std::vector<int>> readers_of(const Graph& graph) {
  std::vector<std::vector<int>> readers(graph.values.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (int i : graph.nodes[n].inputs) {
      if (i != kAbsent) readers[static_cast<size_t>(i)].push_back(static_cast<int>(n));
    }
  }
  return readers;
}

std::vector<char> output_flags(const Graph& graph) {
  std::vector<char> flags(graph.values.size(), 0);
  for (int o : graph.outputs) flags[static_cast<size_t>(o)] = 1;
  return flags;
}

void erase_nodes(Graph* graph, const std::vector<char>& dead) {
  size_t kept = 0;
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    if (dead[n]) continue;
    if (kept != n) graph->nodes[kept] = std::move(graph->nodes[n]);
    ++kept;
  }
  graph->nodes.resize(kept);
}

Status run_passes(Graph* graph, bool preserve_all, const InferCall& call) {
  EDGE_TRY(infer_shapes(graph, call));
  if (preserve_all) return {};
  using Pass = Status (*)(Graph*);
  for (Pass pass : {remove_noops, fuse_activations, fuse_pads, widen_depthwise}) {
    EDGE_TRY(pass(graph));
#ifndef NDEBUG
    const Status s = verify(*graph);
    if (!s.ok()) return internal_error("a pass broke the graph: " + s.message());
#endif
  }
  return {};
}

}  // namespace edge
