#include <cstring>

#include "passes/passes.h"

namespace edge {
namespace {

// [1][h][w][c] -> [c][h][w][1]: the filter of a convolution that sees one channel.
std::shared_ptr<std::vector<uint8_t>> transposed(const Value& w, size_t element) {
  const size_t channels = static_cast<size_t>(w.spec.shape[3]);
  const size_t taps = w.data.size() / element / channels;
  auto out = std::make_shared<std::vector<uint8_t>>(w.data.size());
  for (size_t t = 0; t < taps; ++t) {
    for (size_t c = 0; c < channels; ++c) {
      std::memcpy(out->data() + (c * taps + t) * element,
                  w.data.data() + (t * channels + c) * element, element);
    }
  }
  return out;
}

}  // namespace

// depthwise(x; w) = conv(x; w transposed), where x has one channel: both sum the same products and
// round alike. A convolution spreads its channels over vector lanes, where a depthwise one has
// nothing to spread.
Status widen_depthwise(Graph* graph) {
  const size_t nodes = graph->nodes.size();
  for (size_t n = 0; n < nodes; ++n) {
    Node& node = graph->nodes[n];
    const auto* a = std::get_if<DepthwiseConv2DAttributes>(&node.attributes);
    if (node.opcode != opcode::kDEPTHWISE_CONV_2D || !a) continue;
    const Value& w = graph->values[static_cast<size_t>(node.inputs[1])];
    const size_t element = dtype_size(w.spec.dtype);
    const Shape& s = w.spec.shape;
    const Value& x = graph->values[static_cast<size_t>(node.inputs[0])];
    if (w.spec.dtype != x.spec.dtype || x.open) continue;
    if (!w.constant || x.spec.shape[3] != 1 || s[3] < 2 || w.data.empty()) continue;
    Value wide = w;
    auto bytes = transposed(w, element);
    wide.data = {bytes->data(), bytes->size()};
    wide.spec.shape = {s[3], s[1], s[2], 1};
    wide.spec.quant.dimension = 0;
    // The reference's int8 depthwise kernel does not look at the weights' zero point.
    if (w.spec.dtype == DType::kInt8)
      wide.spec.quant.zero_point.assign(w.spec.quant.zero_point.size(), 0);
    Conv2DAttributes conv;
    conv.padding = a->padding;
    conv.stride_w = a->stride_w;
    conv.stride_h = a->stride_h;
    conv.activation = a->activation;
    conv.dilation_w = a->dilation_w;
    conv.dilation_h = a->dilation_h;
    node.opcode = opcode::kCONV_2D;
    node.attributes = conv;
    node.inputs[1] = static_cast<int>(graph->values.size());
    graph->folded.push_back(std::move(bytes));
    graph->values.push_back(std::move(wide));
  }
  return {};
}

}  // namespace edge
