// What random cases against a reference cannot show: limits of the types, and errors.
#include "ops/support/arithmetic.h"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/builder.h"

namespace edge {
namespace {

// The op on two constants, run as constant folding does it.
template <typename T>
Result<std::vector<T>> evaluate_binary(int opcode, DType type, const std::vector<T>& a,
                                       const std::vector<T>& b, float scale = 0,
                                       Attributes attributes = {}) {
  GraphBuilder builder;
  const Shape shape_a{static_cast<int32_t>(a.size())}, shape_b{static_cast<int32_t>(b.size())};
  const int x = builder.constant<T>(type, shape_a, a, scale);
  const int y = builder.constant<T>(type, shape_b, b, scale);
  const int z = builder.value(type, a.size() == 1 ? shape_b : shape_a, scale);
  builder.node(opcode, {x, y}, {z}, std::move(attributes));
  const Graph& graph = builder.graph();
  EDGE_TRY(find_op(graph.nodes[0])->check(OpView(graph, graph.nodes[0])));
  EDGE_ASSIGN(const auto results, evaluate(graph, graph.nodes[0]));
  std::vector<T> out(results[0]->size() / sizeof(T));
  std::memcpy(out.data(), results[0]->data(), results[0]->size());
  return out;
}

using Ints = std::vector<int32_t>;

Ints int32_op(int opcode, const Ints& a, const Ints& b, Attributes attributes = {}) {
  const Result<Ints> r =
      evaluate_binary<int32_t>(opcode, DType::kInt32, a, b, 0, std::move(attributes));
  REQUIRE_MESSAGE(r.ok(), r.status().message());
  return *r;
}

TEST_CASE("arithmetic: integers wrap, and no division traps") {
  CHECK(int32_op(opcode::kADD, {INT32_MAX, -1}, {1, 1}) == Ints{INT32_MIN, 0});
  CHECK(int32_op(opcode::kSUB, {INT32_MIN}, {1}) == Ints{INT32_MAX});
  CHECK(int32_op(opcode::kMUL, {1 << 16, -3}, {1 << 16, 5}) == Ints{0, -15});
  CHECK(int32_op(opcode::kDIV, {INT32_MIN, -7, 7}, {-1, 2, -2}) == Ints{INT32_MAX, -3, -3});
  CHECK(int32_op(opcode::kFLOOR_DIV, {INT32_MIN, -7, 7}, {-1, 2, -2}) == Ints{INT32_MIN, -4, -4});
  CHECK(int32_op(opcode::kFLOOR_MOD, {INT32_MIN, -7, 7}, {-1, 2, -2}) == Ints{0, 1, -1});
}

TEST_CASE("arithmetic: a fused activation cuts integers as they are") {
  CHECK(int32_op(opcode::kADD, {-9, 1, 9}, {0}, AddAttributes{Activation::kRelu6}) ==
        Ints{0, 1, 6});
  CHECK(int32_op(opcode::kMUL, {-9, 0, 9}, {1}, MulAttributes{Activation::kReluN1To1}) ==
        Ints{-1, 0, 1});
}

TEST_CASE("arithmetic: division by zero ends the run with an error") {
  for (int op : {opcode::kDIV, opcode::kFLOOR_DIV, opcode::kFLOOR_MOD}) {
    const auto r = evaluate_binary<int32_t>(op, DType::kInt32, {1, 2, 3}, {1, 0, 1});
    CHECK(r.status().code() == Code::kInvalidArgument);
    CHECK(r.status().message() == "division by 0: element 1 of its input 1");
  }
  CHECK(!evaluate_binary<int8_t>(opcode::kDIV, DType::kInt8, {1}, {0}, 0.5f).ok());
}

TEST_CASE("arithmetic: an 8-bit operand that repeats may stand on either side") {
  using Codes = std::vector<int8_t>;
  auto op = [](int opcode, const Codes& a, const Codes& b) {
    const auto r = evaluate_binary<int8_t>(opcode, DType::kInt8, a, b, 0.5f);
    REQUIRE_MESSAGE(r.ok(), r.status().message());
    return *r;
  };
  const Codes many{-128, -3, 0, 1, 127}, one{10}, five(5, 10);
  for (int opcode : {opcode::kADD, opcode::kSUB, opcode::kMUL}) {
    CHECK(op(opcode, one, many) == op(opcode, five, many));
    CHECK(op(opcode, many, one) == op(opcode, many, five));
  }
  CHECK(op(opcode::kSUB, one, many) == Codes{127, 13, 10, 9, -117});
  CHECK(op(opcode::kSUB, many, one) == Codes{-128, -13, -10, -9, 117});
}

TEST_CASE("arithmetic: scales that no kernel can use are refused") {
  GraphBuilder b;
  const int x = b.input(DType::kInt8, {4}, 1.f), y = b.input(DType::kInt8, {4}, 1.f);
  const int fine = b.value(DType::kInt8, {4}, 0x1p-18f);
  const int tiny = b.value(DType::kInt8, {4}, 0x1p-19f);
  const int none = b.value(DType::kInt8, {4});
  auto check = [&](int opcode, int out) {
    b.node(opcode, {x, y}, {out});
    const Node& node = b.graph().nodes.back();
    return find_op(node)->check(OpView(b.graph(), node)).code();
  };
  for (int opcode : {opcode::kADD, opcode::kSUB}) {
    CHECK(check(opcode, fine) == Code::kOk);
    CHECK(check(opcode, tiny) == Code::kInvalidModel);
    CHECK(check(opcode, none) == Code::kInvalidModel);
  }
}

}  // namespace
}  // namespace edge
