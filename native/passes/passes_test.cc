#include "passes/passes.h"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/builder.h"
#include "runtime/session.h"

namespace edge {
namespace {

constexpr float kScale = 0.1f;

// The bytes of output 0 after a run on input bytes 0, 1, 2 ...
std::vector<uint8_t> run(const GraphBuilder& b, bool preserve_all) {
  PlanOptions options;
  options.preserve_all = preserve_all;
  auto plan = Plan::build(b.model(), 0, options);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  auto session = Session::create(*plan, 1);
  REQUIRE(session.ok());
  const Graph& g = (*plan)->graph();
  const TensorSpec& in = g.values[static_cast<size_t>(g.inputs[0])].spec;
  for (size_t i = 0; i < *byte_size(in.dtype, in.shape); ++i) {
    (*session)->data(g.inputs[0])[i] = static_cast<uint8_t>(i * 37);
  }
  REQUIRE((*session)->run().ok());
  const TensorSpec& out = g.values[static_cast<size_t>(g.outputs[0])].spec;
  const uint8_t* data = (*session)->data(g.outputs[0]);
  return {data, data + *byte_size(out.dtype, out.shape)};
}

// Passes keep every bit: the graph as written and after all passes give the same bytes.
void check_same_bits(const GraphBuilder& b) { CHECK(run(b, true) == run(b, false)); }

std::vector<int8_t> ramp(size_t count) {
  std::vector<int8_t> v(count);
  for (size_t i = 0; i < count; ++i) v[i] = static_cast<int8_t>(i * 29);
  return v;
}

// x:int8[1,5,5,4] -> conv 3x3 with 8 channels -> conv's output value
struct Conv {
  GraphBuilder b;
  int x = b.input(DType::kInt8, {1, 5, 5, 4}, kScale, 3);
  int w = b.constant<int8_t>(DType::kInt8, {8, 3, 3, 4}, ramp(288), 0.01f);
  int bias = b.constant<int32_t>(DType::kInt32, {8}, std::vector<int32_t>(8, 100));
  Conv2DAttributes attributes;
  Conv() {
    attributes.stride_h = attributes.stride_w = 1;
    attributes.padding = Padding::kValid;
  }
};

}  // namespace

TEST_CASE("fuse_pads: PAD in front of a VALID convolution becomes its border") {
  Conv c;
  const int amounts = c.b.constant<int32_t>(DType::kInt32, {4, 2}, {0, 0, 1, 2, 2, 1, 0, 0});
  const int padded = c.b.value(DType::kInt8, {1, 8, 8, 4}, kScale, 3);
  const int y = c.b.value(DType::kInt8, {1, 6, 6, 8}, 0.5f, -1);
  c.b.node(opcode::kPAD, {c.x, amounts}, {padded});
  c.b.node(opcode::kCONV_2D, {padded, c.w, c.bias}, {y}, c.attributes);
  c.b.output(y);
  check_same_bits(c.b);
  Graph g = c.b.graph();
  REQUIRE(run_passes(&g, false).ok());
  REQUIRE(g.nodes.size() == 1);
  CHECK(g.nodes[0].border.top == 1);
  CHECK(g.nodes[0].border.bottom == 2);
  CHECK(g.nodes[0].border.left == 2);
  CHECK(g.nodes[0].border.right == 1);
  CHECK(g.nodes[0].origin == std::vector<int>{0, 1});
}

TEST_CASE("fuse_pads: a PAD of channels, or one that is an output, stays") {
  for (bool is_output : {false, true}) {
    Conv c;
    const std::vector<int32_t> amounts = is_output ? std::vector<int32_t>{0, 0, 1, 1, 1, 1, 0, 0}
                                                   : std::vector<int32_t>{0, 0, 0, 0, 0, 0, 1, 0};
    const int channels = is_output ? 4 : 5, side = is_output ? 7 : 5;
    const int a = c.b.constant<int32_t>(DType::kInt32, {4, 2}, amounts);
    const int w =
        c.b.constant<int8_t>(DType::kInt8, {8, 3, 3, channels}, ramp(size_t(72 * channels)), 0.01f);
    const int padded = c.b.value(DType::kInt8, {1, side, side, channels}, kScale, 3);
    const int y = c.b.value(DType::kInt8, {1, side - 2, side - 2, 8}, 0.5f, -1);
    c.b.node(opcode::kPAD, {c.x, a}, {padded});
    c.b.node(opcode::kCONV_2D, {padded, w, c.bias}, {y}, c.attributes);
    c.b.output(y);
    if (is_output) c.b.output(padded);
    check_same_bits(c.b);
    Graph g = c.b.graph();
    REQUIRE(run_passes(&g, false).ok());
    CHECK(g.nodes.size() == 2);
  }
}

TEST_CASE("fuse_activations: RELU6 behind a convolution with the same scale becomes its clamp") {
  for (bool same_scale : {true, false}) {
    Conv c;
    const int y = c.b.value(DType::kInt8, {1, 3, 3, 8}, 0.05f, -7);
    const int z = c.b.value(DType::kInt8, {1, 3, 3, 8}, same_scale ? 0.05f : 0.04f, -7);
    c.b.node(opcode::kCONV_2D, {c.x, c.w, c.bias}, {y}, c.attributes);
    c.b.node(opcode::kRELU6, {y}, {z});
    c.b.output(z);
    check_same_bits(c.b);
    Graph g = c.b.graph();
    REQUIRE(run_passes(&g, false).ok());
    CHECK(g.nodes.size() == (same_scale ? 1 : 2));
  }
}

TEST_CASE("widen_depthwise: a depthwise convolution of one channel becomes a convolution") {
  for (DType type : {DType::kInt8, DType::kUInt8}) {
    GraphBuilder b;
    const int x = b.input(type, {1, 9, 9, 1}, kScale, 3);
    const int w =
        b.constant<int8_t>(type, {1, 3, 3, 20}, ramp(180), 0.01f, type == DType::kUInt8 ? 99 : 0);
    const int bias = b.constant<int32_t>(DType::kInt32, {20}, std::vector<int32_t>(20, -50));
    const int y = b.value(type, {1, 5, 5, 20}, 0.1f, 5);
    DepthwiseConv2DAttributes attributes;
    attributes.stride_h = attributes.stride_w = 2;
    attributes.depth_multiplier = 20;
    b.node(opcode::kDEPTHWISE_CONV_2D, {x, w, bias}, {y}, attributes);
    b.output(y);
    check_same_bits(b);
    Graph g = b.graph();
    REQUIRE(run_passes(&g, false).ok());
    CHECK(g.nodes[0].opcode == opcode::kCONV_2D);
  }
}

TEST_CASE("remove_noops: DEQUANTIZE and QUANTIZE with one scale vanish, with two they stay") {
  for (bool same_scale : {true, false}) {
    GraphBuilder b;
    const int x = b.input(DType::kInt8, {1, 256}, kScale, 5);
    const int real = b.value(DType::kFloat32, {1, 256});
    const int q = b.value(DType::kInt8, {1, 256}, same_scale ? kScale : 0.2f, 5);
    const int y = b.value(DType::kInt8, {1, 256}, same_scale ? kScale : 0.2f, 5);
    b.node(opcode::kDEQUANTIZE, {x}, {real});
    b.node(opcode::kQUANTIZE, {real}, {q});
    b.node(opcode::kRELU, {q}, {y});
    b.output(y);
    check_same_bits(b);
    Graph g = b.graph();
    REQUIRE(run_passes(&g, false).ok());
    CHECK(g.nodes.size() == (same_scale ? 1 : 3));
  }
}

TEST_CASE("infer_shapes: shapes that SHAPE computes are known before running") {
  GraphBuilder b;
  const int x = b.input(DType::kFloat32, {2, 3, 4});
  const int shape = b.value(DType::kInt32, {3});
  const int y = b.value(DType::kFloat32, {1, 1, 1});
  b.node(opcode::kSHAPE, {x}, {shape});
  b.node(opcode::kRESHAPE, {x, shape}, {y});
  b.output(y);
  Graph g = b.graph();
  REQUIRE(run_passes(&g, false).ok());
  CHECK(g.nodes.size() == 1);
  CHECK(g.values[static_cast<size_t>(y)].spec.shape == Shape{2, 3, 4});
}

}  // namespace edge
