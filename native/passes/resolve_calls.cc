#include <map>
#include <utility>

#include "passes/passes.h"

namespace edge {
namespace {

// Composites in composites, and what a file of them may grow to.
constexpr int kDeepest = 32;
constexpr size_t kMostNodes = 20000;

using Name = std::pair<std::string, std::string>;  // container and shared name of a variable

Result<const Graph*> called(const Model& model, int index) {
  if (index < 0 || static_cast<size_t>(index) >= model.graphs.size()) {
    return invalid_model(format("it calls subgraph %d of %zu", index, model.graphs.size()));
  }
  return &model.graphs[static_cast<size_t>(index)];
}

// The nodes of `callee` with the values of `node` in place of its inputs and outputs.
Result<std::vector<Node>> inlined(const Graph& callee, const Node& node, Graph* graph) {
  if (callee.inputs.size() != node.inputs.size() || callee.outputs.size() != node.outputs.size()) {
    return invalid_model(format("it has %zu inputs and %zu outputs, its subgraph %zu and %zu",
                                node.inputs.size(), node.outputs.size(), callee.inputs.size(),
                                callee.outputs.size()));
  }
  std::vector<int> place(callee.values.size(), kAbsent);
  for (size_t i = 0; i < callee.inputs.size(); ++i) {
    place[static_cast<size_t>(callee.inputs[i])] = node.inputs[i];
  }
  for (size_t i = 0; i < callee.outputs.size(); ++i) {
    int& p = place[static_cast<size_t>(callee.outputs[i])];
    if (p != kAbsent || callee.values[static_cast<size_t>(callee.outputs[i])].constant) {
      return unsupported("its subgraph hands on an input, a constant, or one value twice");
    }
    p = node.outputs[i];
  }
  for (size_t i = 0; i < callee.values.size(); ++i) {
    if (place[i] != kAbsent) continue;
    place[i] = static_cast<int>(graph->values.size());
    graph->values.push_back(callee.values[i]);
  }
  std::vector<Node> nodes = callee.nodes;
  for (Node& n : nodes) {
    for (auto* operands : {&n.inputs, &n.outputs, &n.intermediates}) {
      for (int& v : *operands) v = v == kAbsent ? kAbsent : place[static_cast<size_t>(v)];
    }
    n.origin = node.origin;
  }
  return nodes;
}

Status inline_composites(const Model& model, Graph* graph) {
  std::vector<int> depth(graph->nodes.size(), 0);  // of each node
  for (size_t n = 0; n < graph->nodes.size();) {
    const Node node = graph->nodes[n];
    if (node.opcode != opcode::kSTABLEHLO_COMPOSITE) {
      ++n;
      continue;
    }
    const auto* a = std::get_if<CompositeAttributes>(&node.attributes);
    if (!a) return invalid_model("STABLEHLO_COMPOSITE: it names no subgraph");
    EDGE_ASSIGN(const Graph* callee, called(model, a->subgraph));
    const int inner = depth[n] + 1;
    if (inner > kDeepest || graph->nodes.size() + callee->nodes.size() > kMostNodes) {
      return invalid_model("STABLEHLO_COMPOSITE: composites that call themselves, or too many");
    }
    EDGE_ASSIGN(std::vector<Node> nodes, inlined(*callee, node, graph));
    const auto at = static_cast<std::ptrdiff_t>(n);
    graph->nodes.erase(graph->nodes.begin() + at);
    graph->nodes.insert(graph->nodes.begin() + at, nodes.begin(), nodes.end());
    depth.erase(depth.begin() + at);
    depth.insert(depth.begin() + at, nodes.size(), inner);
  }
  return {};
}

// The names of the variables that handles stand for, by value.
std::map<int, Name> handles_of(const Graph& graph) {
  std::map<int, Name> names;
  for (const Node& n : graph.nodes) {
    const auto* a = std::get_if<VarHandleAttributes>(&n.attributes);
    if (n.opcode != opcode::kVAR_HANDLE || n.outputs.size() != 1) continue;
    names[n.outputs[0]] = a ? Name(a->container, a->shared_name) : Name();
  }
  return names;
}

bool uses_variable(const Node& n) {
  return n.opcode == opcode::kREAD_VARIABLE || n.opcode == opcode::kASSIGN_VARIABLE;
}

// What a subgraph that is called once gives to variables: constants, since it has no inputs.
Status run_once(const Model& model, int index, std::map<Name, int>* variables, Graph* graph) {
  EDGE_ASSIGN(const Graph* callee, called(model, index));
  Graph init = *callee;
  const std::map<int, Name> names = handles_of(init);
  std::vector<std::pair<Name, int>> assigned;
  std::vector<char> dead(init.nodes.size(), 0);
  for (size_t n = 0; n < init.nodes.size(); ++n) {
    const Node& node = init.nodes[n];
    dead[n] = node.opcode == opcode::kVAR_HANDLE || node.opcode == opcode::kASSIGN_VARIABLE;
    if (node.opcode != opcode::kASSIGN_VARIABLE) continue;
    const auto name = names.find(node.input(0));
    if (name == names.end() || node.input(1) == kAbsent) {
      return invalid_model("CALL_ONCE: its subgraph assigns to no variable");
    }
    assigned.emplace_back(name->second, node.input(1));
  }
  erase_nodes(&init, dead);
  init.outputs.clear();
  EDGE_TRY(infer_shapes(&init).at("CALL_ONCE"));
  for (const auto& [name, value] : assigned) {
    const Value& from = init.values[static_cast<size_t>(value)];
    if (!from.constant) return unsupported("CALL_ONCE: what its subgraph assigns is no constant");
    const auto found = variables->find(name);
    if (found == variables->end()) continue;
    Value& to = graph->values[static_cast<size_t>(found->second)];
    if (from.spec.dtype != to.spec.dtype || from.spec.shape.count() != to.spec.shape.count()) {
      return unsupported("CALL_ONCE: a variable starts with another type or shape than it has");
    }
    to.data = from.data;
  }
  graph->folded.insert(graph->folded.end(), init.folded.begin(), init.folded.end());
  return {};
}

// VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE of one name  ->  one value that keeps its bytes
Status resolve_variables(const Model& model, Graph* graph) {
  const std::map<int, Name> names = handles_of(*graph);
  std::map<Name, int> variables;
  for (Node& n : graph->nodes) {
    if (!uses_variable(n)) continue;
    const auto name = names.find(n.input(0));
    const bool read = n.opcode == opcode::kREAD_VARIABLE;
    const int other = read ? (n.outputs.empty() ? kAbsent : n.outputs[0]) : n.input(1);
    if (name == names.end() || other == kAbsent) {
      return unsupported(n.name() + ": its variable is known only while running");
    }
    const auto found = variables.emplace(name->second, static_cast<int>(graph->values.size()));
    if (found.second) {
      Value v;
      v.spec = graph->values[static_cast<size_t>(other)].spec;
      v.spec.name = name->second.second;
      v.variable = true;
      graph->values.push_back(std::move(v));
    }
    n.inputs[0] = found.first->second;
  }
  std::vector<char> dead(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    const Node& node = graph->nodes[n];
    dead[n] = node.opcode == opcode::kVAR_HANDLE || node.opcode == opcode::kCALL_ONCE;
    if (node.opcode != opcode::kCALL_ONCE) continue;
    const auto* a = std::get_if<CallOnceAttributes>(&node.attributes);
    EDGE_TRY(run_once(model, a ? a->subgraph : 0, &variables, graph));
  }
  erase_nodes(graph, dead);
  return {};
}

}  // namespace

Status resolve_calls(const Model& model, Graph* graph) {
  EDGE_TRY(inline_composites(model, graph));
  return resolve_variables(model, graph);
}

}  // namespace edge
