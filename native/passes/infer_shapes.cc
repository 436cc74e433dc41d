#include <algorithm>

#include "ops/op.h"
#include "passes/passes.h"

namespace edge {
namespace {

// Larger results are computed at run time instead: a few bytes of file must not fill the memory.
constexpr size_t kFoldLimit = size_t{64} << 20;

bool foldable(const OpView& op, const OpDef& def, const std::vector<char>& is_output) {
  if (op.node().opcode == opcode::kCUSTOM || def.random || def.stateful || op.input_count() == 0)
    return false;
  size_t bytes = 0;
  for (size_t i = 0; i < op.input_count(); ++i) {
    if (!op.has_input(i)) continue;
    const Value& v = op.in(i);
    if (v.variable || (!v.constant && v.spec.shape.count() != 0 && !def.shape_only)) return false;
  }
  for (size_t i = 0; i < op.output_count(); ++i) {
    if (is_output[static_cast<size_t>(op.node().outputs[i])]) return false;
    const TensorSpec& s = op.out(i).spec;
    const Result<size_t> size = byte_size(s.dtype, s.shape);
    if (!size.ok() || dtype_size(s.dtype) == 0) return false;
    bytes += *size;
  }
  return bytes <= kFoldLimit;
}

Status fold_node(Graph* graph, const Node& node) {
  auto results = evaluate(*graph, node);
  if (!results.ok()) return results.status();
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Value& v = graph->values[static_cast<size_t>(node.outputs[i])];
    v.constant = true;
    v.data = {(*results)[i]->data(), (*results)[i]->size()};
    graph->folded.push_back(std::move((*results)[i]));
  }
  return {};
}

bool any_open(const Graph& graph, const std::vector<int>& values) {
  return std::any_of(values.begin(), values.end(), [&](int i) {
    return i != kAbsent && graph.values[static_cast<size_t>(i)].open;
  });
}

bool any_string(const Graph& graph, const std::vector<int>& values) {
  return std::any_of(values.begin(), values.end(), [&](int i) {
    return graph.values[static_cast<size_t>(i)].spec.dtype == DType::kString;
  });
}

// Sums have their operands' type, whatever the file says; some say float32 of all between two ops.
void adopt_type(Graph* graph, const Node& node) {
  if (node.opcode != opcode::kADD && node.opcode != opcode::kSUB) return;
  if (node.inputs.size() != 2 || node.outputs.size() != 1 || node.inputs[1] == kAbsent) return;
  graph->values[static_cast<size_t>(node.outputs[0])].spec.dtype =
      graph->values[static_cast<size_t>(node.inputs[1])].spec.dtype;
}

// kLater where a shape depends on data.
Status infer(const OpDef& def, const OpView& op, std::vector<Shape>* shapes,
             std::vector<DType>* types) {
  const Graph& graph = op.graph();
  if (any_open(graph, op.node().inputs)) return known_later("an input's shape");
  EDGE_TRY(def.infer_typed ? def.infer_typed(op, shapes, types) : def.infer(op, shapes));
  // How many bytes strings have depends on them.
  return any_string(graph, op.node().outputs) ? known_later("its strings") : Status();
}

}  // namespace

// y = f(constants)  ->  constant
Status infer_shapes(Graph* graph, const InferCall& call) {
  for (int i : graph->inputs) {
    Value& v = graph->values[static_cast<size_t>(i)];
    if (v.spec.dtype == DType::kString) v.open = true;
  }
  const std::vector<char> is_output = output_flags(*graph);
  std::vector<char> dead(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    Node& node = graph->nodes[n];
    const std::string place =
        format("op %d %.100s", node.origin.empty() ? -1 : node.origin[0], node.name().c_str());
    const OpDef* def = find_op(node);
    if (!def) return unsupported(why_missing(node)).at(place);
    adopt_type(graph, node);
    const OpView op(*graph, node);
    EDGE_TRY(def->check(op).at(place));
    std::vector<Shape> shapes(node.outputs.size());
    std::vector<DType> types;
    for (size_t i = 0; i < node.outputs.size(); ++i) types.push_back(op.out(i).spec.dtype);
    if (def->calls && !call) return unsupported("it calls other graphs").at(place);
    const Status inferred =
        def->calls ? call(*graph, &node, &shapes) : infer(*def, op, &shapes, &types);
    if (inferred.code() == Code::kLater) {
      for (int o : node.outputs) graph->values[static_cast<size_t>(o)].open = true;
      continue;
    }
    EDGE_TRY(inferred.at(place));
    for (size_t i = 0; i < shapes.size(); ++i) {
      TensorSpec& s = graph->values[static_cast<size_t>(node.outputs[i])].spec;
      const Result<size_t> bytes = byte_size(types[i], shapes[i]);
      if (!bytes.ok()) return bytes.status().at(place);
      s.shape = shapes[i];
      s.dtype = types[i];
    }
    if (foldable(op, *def, is_output)) {
      EDGE_TRY(fold_node(graph, node).at(place));
      dead[n] = 1;
    }
  }
  erase_nodes(graph, dead);
  return {};
}

}  // namespace edge
