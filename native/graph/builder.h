// Builds small graphs in tests, one call a tensor or node.
#pragma once

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace edge {

class GraphBuilder {
 public:
  // A tensor with one scale (none where scale is 0); returns its index.
  int value(DType type, Shape shape, float scale = 0, int zero_point = 0) {
    Value v;
    v.spec.name = "t" + std::to_string(graph_.values.size());
    v.spec.dtype = type;
    v.spec.shape = shape;
    if (scale > 0) {
      v.spec.quant.scale = {scale};
      v.spec.quant.zero_point = {zero_point};
    }
    graph_.values.push_back(std::move(v));
    return static_cast<int>(graph_.values.size()) - 1;
  }
  int input(DType type, Shape shape, float scale = 0, int zero_point = 0) {
    graph_.inputs.push_back(value(type, shape, scale, zero_point));
    return graph_.inputs.back();
  }
  template <typename T>
  int constant(DType type, Shape shape, const std::vector<T>& data, float scale = 0,
               int zero_point = 0) {
    const int index = value(type, shape, scale, zero_point);
    auto bytes = std::make_shared<std::vector<uint8_t>>(data.size() * sizeof(T));
    if (!data.empty()) std::memcpy(bytes->data(), data.data(), bytes->size());
    Value& v = graph_.values[static_cast<size_t>(index)];
    v.constant = true;
    v.data = {bytes->data(), bytes->size()};
    graph_.folded.push_back(std::move(bytes));
    return index;
  }
  void node(int opcode, std::vector<int> inputs, std::vector<int> outputs,
            Attributes attributes = {}) {
    Node n;
    n.opcode = opcode;
    n.inputs = std::move(inputs);
    n.outputs = std::move(outputs);
    n.attributes = std::move(attributes);
    n.origin = {static_cast<int>(graph_.nodes.size())};
    graph_.nodes.push_back(std::move(n));
  }
  void output(int value) { graph_.outputs.push_back(value); }

  Graph& graph() { return graph_; }
  std::shared_ptr<const Model> model() const {
    auto m = std::make_shared<Model>();
    m->version = 3;
    m->graphs.push_back(graph_);
    return m;
  }

 private:
  Graph graph_;
};

}  // namespace edge
