#include "graph/graph.h"

namespace edge {
namespace {

std::string text(Padding p) { return p == Padding::kSame ? "SAME" : "VALID"; }
std::string text(Activation a) {
  static const char* const kNames[] = {"NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"};
  return kNames[static_cast<size_t>(a)];
}
std::string text(const std::string& s) { return s; }
std::string text(bool b) { return b ? "true" : "false"; }
std::string text(DType t) { return dtype_name(t); }
std::string text(int32_t i) { return std::to_string(i); }
std::string text(int64_t i) { return std::to_string(i); }
std::string text(float f) { return format("%g", static_cast<double>(f)); }
template <typename T>
std::string text(const std::vector<T>& v) {
  std::string s = "[";
  for (size_t i = 0; i < v.size(); ++i) s += (i ? "," : "") + text(v[i]);
  return s + "]";
}

std::string operand(const Graph& graph, int index) {
  if (index == kAbsent) return "-";
  const Value& v = graph.values[static_cast<size_t>(index)];
  return "%" + std::to_string(index) + ":" + dtype_name(v.spec.dtype) + to_string(v.spec.shape) +
         (v.constant ? "!" : "");
}

struct Describe {
  std::vector<std::pair<std::string, std::string>> fields;
  void operator()(const std::monostate&) {}
#define EDGE_FIELD(slot, type, name, value) fields.emplace_back(#name, text(a.name));
#define EDGE_ATTRIBUTES(Name, number, list) \
  void operator()(const Name##Attributes& a) { list }
#include "graph/attributes.inc"
#undef EDGE_ATTRIBUTES
#undef EDGE_FIELD
};

}  // namespace

const char* opcode_name(int code) {
  switch (code) {
#define EDGE_OPCODE(name, number) \
  case number:                    \
    return #name;
#include "graph/opcodes.inc"
#undef EDGE_OPCODE
    default:
      return nullptr;
  }
}

std::string Node::name() const {
  if (opcode == opcode::kCUSTOM) return "CUSTOM:" + custom_name;
  const char* known = opcode_name(opcode);
  return known ? known : "BUILTIN_" + std::to_string(opcode);
}

std::vector<std::pair<std::string, std::string>> describe(const Attributes& attributes) {
  Describe d;
  std::visit(d, attributes);
  return d.fields;
}

std::string dump(const Graph& graph) {
  std::string out;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& n = graph.nodes[i];
    out += std::to_string(i) + " " + n.name() + "(";
    for (size_t j = 0; j < n.inputs.size(); ++j)
      out += (j ? ", " : "") + operand(graph, n.inputs[j]);
    out += ") ->";
    for (int o : n.outputs) out += " " + operand(graph, o);
    for (const auto& [name, value] : describe(n.attributes)) out += " " + name + "=" + value;
    if (n.border.any()) {
      out += format(" border=%d,%d,%d,%d", n.border.top, n.border.bottom, n.border.left,
                    n.border.right);
    }
    out += "\n";
  }
  return out;
}

}  // namespace edge
