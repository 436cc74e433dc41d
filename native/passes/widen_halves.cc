#include "ops/op.h"
#include "ops/support/half.h"
#include "passes/passes.h"

namespace edge {
namespace {

// A value as `v`, of float32; the CAST from or to it is for the caller to make.
int add_wide(const Value& v, Graph* graph) {
  Value wide;
  wide.spec = v.spec;
  wide.spec.dtype = DType::kFloat32;
  graph->values.push_back(std::move(wide));
  return static_cast<int>(graph->values.size()) - 1;
}

Node cast(int from, int to) {
  Node node;
  node.opcode = opcode::kCAST;
  node.inputs = {from};
  node.outputs = {to};
  return node;
}

// Weights must be constants, so those are cast at once.
Status fold(const Node& node, Graph* graph) {
  auto results = evaluate(*graph, node);
  if (!results.ok()) return results.status();
  Value& v = graph->values[static_cast<size_t>(node.outputs[0])];
  v.constant = true;
  v.data = {(*results)[0]->data(), (*results)[0]->size()};
  graph->folded.push_back(std::move((*results)[0]));
  return {};
}

// `node` and the casts around it, if its op takes it so.
Result<std::vector<Node>> widened(Node node, Graph* graph) {
  std::vector<Node> nodes, after;
  for (int& i : node.inputs) {
    if (i == kAbsent) continue;
    const Value v = graph->values[static_cast<size_t>(i)];
    if (!is_half_type(v.spec.dtype) || v.variable) continue;
    const Node c = cast(i, add_wide(v, graph));
    i = c.outputs[0];
    if (v.constant) {
      EDGE_TRY(fold(c, graph));
    } else {
      nodes.push_back(c);
    }
  }
  for (int& o : node.outputs) {
    const Value v = graph->values[static_cast<size_t>(o)];
    if (!is_half_type(v.spec.dtype)) continue;
    after.push_back(cast(add_wide(v, graph), o));
    o = after.back().inputs[0];
  }
  EDGE_TRY(find_op(node)->check(OpView(*graph, node)));
  nodes.push_back(std::move(node));
  nodes.insert(nodes.end(), after.begin(), after.end());
  return nodes;
}

}  // namespace

// y16 = f(x16)  ->  y16 = cast(f(cast(x16))), where f knows float32 alone
Status widen_halves(Graph* graph) {
  std::vector<Node> nodes;
  for (Node& node : graph->nodes) {
    auto any = [&](const std::vector<int>& values) {
      for (int i : values) {
        if (i != kAbsent && is_half_type(graph->values[static_cast<size_t>(i)].spec.dtype))
          return true;
      }
      return false;
    };
    const OpDef* def = find_op(node);
    if (def && (any(node.inputs) || any(node.outputs)) &&
        def->check(OpView(*graph, node)).code() == Code::kUnsupported) {
      const size_t values = graph->values.size();
      auto wide = widened(node, graph);
      if (wide.ok()) {
        nodes.insert(nodes.end(), wide->begin(), wide->end());
        continue;
      }
      graph->values.resize(values);
    }
    nodes.push_back(std::move(node));
  }
  graph->nodes = std::move(nodes);
  return {};
}

}  // namespace edge
