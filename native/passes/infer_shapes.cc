#include "ops/op.h"
#include "passes/passes.h"

namespace edge {
namespace {

// Larger results are computed at run time instead: a few bytes of file must not fill the memory.
constexpr size_t kFoldLimit = size_t{64} << 20;

bool foldable(const OpView& op, const OpDef& def, const std::vector<char>& is_output) {
  if (op.node().opcode == opcode::kCUSTOM || def.random || op.input_count() == 0) return false;
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

}  // namespace

// y = f(constants)  ->  constant
Status infer_shapes(Graph* graph) {
  const std::vector<char> is_output = output_flags(*graph);
  std::vector<char> dead(graph->nodes.size(), 0);
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    const Node& node = graph->nodes[n];
    const std::string place =
        format("op %d %.100s", node.origin.empty() ? -1 : node.origin[0], node.name().c_str());
    const OpDef* def = find_op(node);
    if (!def) return unsupported(why_missing(node)).at(place);
    const OpView op(*graph, node);
    EDGE_TRY(def->check(op).at(place));
    std::vector<Shape> shapes(node.outputs.size());
    std::vector<DType> types;
    for (size_t i = 0; i < node.outputs.size(); ++i) types.push_back(op.out(i).spec.dtype);
    EDGE_TRY((def->infer_typed ? def->infer_typed(op, &shapes, &types) : def->infer(op, &shapes))
                 .at(place));
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
