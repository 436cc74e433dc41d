// Which graphs call which.
#include "graph/graph.h"

namespace edge {

std::vector<int> callees(const Node& node) {
  if (const auto* a = std::get_if<IfAttributes>(&node.attributes)) {
    if (node.opcode == opcode::kIF) return {a->then_graph, a->else_graph};
  } else if (const auto* b = std::get_if<WhileAttributes>(&node.attributes)) {
    if (node.opcode == opcode::kWHILE) return {b->cond_graph, b->body_graph};
  } else if (const auto* c = std::get_if<CallOnceAttributes>(&node.attributes)) {
    if (node.opcode == opcode::kCALL_ONCE) return {c->subgraph};
  } else if (const auto* d = std::get_if<CompositeAttributes>(&node.attributes)) {
    if (node.opcode == opcode::kSTABLEHLO_COMPOSITE) return {d->subgraph};
  } else if (const auto* e = std::get_if<CaseAttributes>(&node.attributes)) {
    if (node.opcode == opcode::kSTABLEHLO_CASE) return e->graphs;
  }
  return {};
}

Status verify_calls(const std::vector<Graph>& graphs) {
  const size_t count = graphs.size();
  std::vector<std::vector<size_t>> called(count);
  std::vector<size_t> callers(count, 0);
  for (size_t g = 0; g < count; ++g) {
    for (const Node& node : graphs[g].nodes) {
      for (int callee : callees(node)) {
        if (callee < 0 || static_cast<size_t>(callee) >= count) {
          return invalid_model(format("subgraph %zu: %s names subgraph %d of %zu", g,
                                      node.name().c_str(), callee, count));
        }
        called[g].push_back(static_cast<size_t>(callee));
        ++callers[static_cast<size_t>(callee)];
      }
    }
  }
  // Graphs that nobody calls any more leave one by one; what calls itself stays.
  std::vector<size_t> free;
  for (size_t g = 0; g < count; ++g) {
    if (callers[g] == 0) free.push_back(g);
  }
  for (size_t i = 0; i < free.size(); ++i) {
    for (size_t callee : called[free[i]]) {
      if (--callers[callee] == 0) free.push_back(callee);
    }
  }
  if (free.size() == count) return {};
  for (size_t g = 0;; ++g) {
    if (callers[g]) return invalid_model(format("subgraph %zu calls itself", g));
  }
}

}  // namespace edge
