#include <doctest/doctest.h>

#include "graph/builder.h"

namespace edge {
namespace {

struct Small {
  GraphBuilder b;
  int x = b.input(DType::kFloat32, {1, 4});
  int y = b.value(DType::kFloat32, {1, 4});
  Small() {
    b.node(opcode::kRELU, {x}, {y});
    b.output(y);
  }
  std::string error() { return verify(b.graph()).message(); }
  bool refused(const char* words) { return error().find(words) != std::string::npos; }
};

}  // namespace

TEST_CASE("verify: a sound graph passes") { CHECK(Small().error() == ""); }

TEST_CASE("verify: tensor indices outside of the list") {
  Small input, output, graph_output;
  input.b.graph().nodes[0].inputs = {7};
  CHECK(input.refused("input names tensor 7 of 2"));
  output.b.graph().nodes[0].outputs = {-1};
  CHECK(output.refused("output names tensor -1 of 2"));
  graph_output.b.graph().outputs = {2};
  CHECK(graph_output.refused("graph output names tensor 2 of 2"));
}

TEST_CASE("verify: an op may not read what nobody has written, nor write what others own") {
  Small unwritten, loop, twice;
  unwritten.b.graph().nodes[0].inputs = {unwritten.b.value(DType::kFloat32, {4})};
  CHECK(unwritten.refused("before any op has written it"));
  loop.b.graph().nodes[0].inputs = {loop.y};
  CHECK(loop.refused("before any op has written it"));
  twice.b.node(opcode::kRELU, {twice.x}, {twice.y});
  CHECK(twice.refused("is written by op 0 as well"));
  Small in_place;
  in_place.b.graph().nodes[0].outputs = {in_place.x};
  CHECK(in_place.refused("is an input of the graph"));
}

TEST_CASE("verify: buffers, shapes and quantization must agree") {
  Small size, huge, negative, scales;
  size.b.constant<float>(DType::kFloat32, {2}, {1.f});
  CHECK(size.refused("its buffer holds 4 bytes, but float32[2] needs 8"));
  huge.b.value(DType::kInt8, {65536, 65536});
  CHECK(huge.refused("more than 2^31-1 elements"));
  negative.b.value(DType::kInt8, {-2});
  CHECK(negative.refused("negative extent"));
  Quantization& q = scales.b.graph().values[0].spec.quant;
  q.scale = {1.f, 2.f};
  q.zero_point = {0, 0};
  q.dimension = 1;
  CHECK(scales.refused("2 scales for 4 channels"));
}

TEST_CASE("dump: one line a node, with its attributes") {
  GraphBuilder b;
  const int x = b.input(DType::kInt8, {1, 2}, 0.5f);
  const int y = b.value(DType::kInt8, {1, 2}, 1.f / 256, -128);
  b.node(opcode::kSOFTMAX, {x}, {y}, SoftmaxAttributes{2.f});
  CHECK(dump(b.graph()) == "0 SOFTMAX(%0:int8[1,2]) -> %1:int8[1,2] beta=2\n");
}

}  // namespace edge
