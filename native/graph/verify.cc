#include <cstring>
#include <vector>

#include "graph/graph.h"

namespace edge {
namespace {

// int32 count, int32 offsets[count + 1], bytes.
Status verify_strings(const Value& v) {
  const size_t size = v.data.size(), count = static_cast<size_t>(v.spec.shape.count());
  const auto number = [&](size_t i) {
    int32_t n;
    std::memcpy(&n, v.data.data() + 4 * i, 4);
    return static_cast<size_t>(static_cast<uint32_t>(n));
  };
  const size_t head = 4 * (count + 2);
  if (count > size / 4 || head > size || number(0) != count) {
    return invalid_model(format("its buffer does not hold %zu strings", count));
  }
  size_t last = head;
  for (size_t i = 1; i < count + 2; ++i) {
    if (number(i) < last || number(i) > size || number(i) > INT32_MAX) {
      return invalid_model(format("string %zu lies outside of its buffer", i - 1));
    }
    last = number(i);
  }
  return {};
}

Status verify_value(const Value& v) {
  const TensorSpec& s = v.spec;
  for (int32_t extent : s.shape) {
    if (extent < 0)
      return invalid_model(format("shape %s has a negative extent", to_string(s.shape).c_str()));
  }
  EDGE_ASSIGN(const size_t bytes, byte_size(s.dtype, s.shape));
  // Strings have no fixed size.
  const bool sized = dtype_size(s.dtype) > 0 || s.dtype == DType::kInt4;
  if (v.constant && sized && v.data.size() != bytes) {
    return invalid_model(format("its buffer holds %zu bytes, but %s%s needs %zu", v.data.size(),
                                dtype_name(s.dtype), to_string(s.shape).c_str(), bytes));
  }
  if (v.constant && s.dtype == DType::kString) EDGE_TRY(verify_strings(v));
  const Quantization& q = s.quant;
  if (q.scale.size() != q.zero_point.size()) {
    return invalid_model(
        format("it has %zu scales, but %zu zero points", q.scale.size(), q.zero_point.size()));
  }
  if (q.per_channel()) {
    if (q.dimension < 0 || q.dimension >= s.shape.rank()) {
      return invalid_model(format("its quantized dimension %d is outside of shape %s", q.dimension,
                                  to_string(s.shape).c_str()));
    }
    if (q.scale.size() != static_cast<size_t>(s.shape[q.dimension])) {
      return invalid_model(
          format("it has %zu scales for %d channels", q.scale.size(), s.shape[q.dimension]));
    }
  }
  return {};
}

}  // namespace

Status verify(const Graph& graph) {
  const size_t count = graph.values.size();
  auto inside = [count](int i) { return i >= 0 && static_cast<size_t>(i) < count; };
  for (size_t i = 0; i < count; ++i) {
    const Status s = verify_value(graph.values[i]);
    if (!s.ok()) return s.at(format("tensor %zu '%.100s'", i, graph.values[i].spec.name.c_str()));
  }
  // A value exists once it is a constant, a variable, an input or some earlier node's output.
  std::vector<char> exists(count, 0);
  std::vector<int> writer(count, -1);
  std::vector<char> is_input(count, 0);
  // So does one without elements: files leave its buffer out.
  for (size_t i = 0; i < count; ++i) {
    const Value& v = graph.values[i];
    exists[i] = v.constant || v.variable || v.spec.shape.count() == 0;
  }
  for (int i : graph.inputs) {
    if (!inside(i)) return invalid_model(format("graph input names tensor %d of %zu", i, count));
    exists[static_cast<size_t>(i)] = is_input[static_cast<size_t>(i)] = 1;
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    auto fail = [&](const std::string& why) {
      return invalid_model(why).at(format("op %zu %s", n, node.name().c_str()));
    };
    for (int i : node.inputs) {
      if (i == kAbsent) continue;
      if (!inside(i)) return fail(format("input names tensor %d of %zu", i, count));
      if (!exists[static_cast<size_t>(i)]) {
        return fail(format("input tensor %d is used before any op has written it", i));
      }
    }
    for (int i : node.intermediates) {
      if (!inside(i)) return fail(format("intermediate names tensor %d of %zu", i, count));
    }
    for (int o : node.outputs) {
      if (!inside(o)) return fail(format("output names tensor %d of %zu", o, count));
      const Value& v = graph.values[static_cast<size_t>(o)];
      if (v.constant) return fail(format("output tensor %d is a constant", o));
      if (v.variable) return fail(format("output tensor %d is a variable", o));
      if (writer[static_cast<size_t>(o)] >= 0) {
        return fail(format("output tensor %d is written by op %d as well", o,
                           writer[static_cast<size_t>(o)]));
      }
      if (is_input[static_cast<size_t>(o)]) {
        return fail(format("output tensor %d is an input of the graph", o));
      }
      writer[static_cast<size_t>(o)] = static_cast<int>(n);
      exists[static_cast<size_t>(o)] = 1;
    }
  }
  for (int o : graph.outputs) {
    if (!inside(o)) return invalid_model(format("graph output names tensor %d of %zu", o, count));
    if (!exists[static_cast<size_t>(o)]) {
      return invalid_model(format("graph output tensor %d is written by no op", o));
    }
  }
  return {};
}

}  // namespace edge
