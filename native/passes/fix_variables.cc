#include <map>
#include <set>

#include "passes/passes.h"

namespace edge {
namespace {

using Name = std::pair<std::string, std::string>;

// The variables of one graph by the value that holds their number.
std::map<int, Name> names_of(const Graph& graph) {
  std::map<int, Name> names;
  for (const Node& node : graph.nodes) {
    const auto* a = std::get_if<VarHandleAttributes>(&node.attributes);
    if (node.opcode == opcode::kVAR_HANDLE && a && node.outputs.size() == 1) {
      names[node.outputs[0]] = {a->container, a->shared_name};
    }
  }
  return names;
}

bool same(const TensorSpec& a, const TensorSpec& b) {
  return a.dtype == b.dtype && a.shape == b.shape;
}

}  // namespace

// All that the model assigns to a variable has the type and shape that the file gives what is read,
// and none of these is open: then the file's shapes are those that there will be. Where the number
// of a variable goes from graph to graph, nobody knows which one it is.
void fix_variables(const std::vector<Graph>& graphs, Graph* graph) {
  std::map<Name, TensorSpec> assigned;
  std::set<Name> changing;
  for (const Graph& g : graphs) {
    const std::map<int, Name> names = names_of(g);
    for (const Node& node : g.nodes) {
      if (node.opcode != opcode::kASSIGN_VARIABLE || node.inputs.size() != 2) continue;
      const auto name = names.find(node.inputs[0]);
      if (name == names.end() || node.inputs[1] == kAbsent) return;
      const TensorSpec& spec = g.values[static_cast<size_t>(node.inputs[1])].spec;
      const auto [first, is_new] = assigned.try_emplace(name->second, spec);
      const bool known = spec.shape_signature.rank() == 0 || spec.shape_signature.known();
      if (!known || (!is_new && !same(first->second, spec))) changing.insert(name->second);
    }
  }
  const std::map<int, Name> names = names_of(*graph);
  for (Node& node : graph->nodes) {
    if (node.opcode != opcode::kREAD_VARIABLE) continue;
    if (node.inputs.size() != 1 || node.outputs.size() != 1) continue;  // its check will refuse it
    const auto name = names.find(node.inputs[0]);
    if (name == names.end() || changing.count(name->second)) continue;
    const auto value = assigned.find(name->second);
    const TensorSpec& read = graph->values[static_cast<size_t>(node.outputs[0])].spec;
    node.fixed = value != assigned.end() && same(value->second, read);
  }
}

}  // namespace edge
