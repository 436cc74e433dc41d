#include "runtime/shared_places.h"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/builder.h"
#include "runtime/session.h"

namespace edge {
namespace {

// Two branches of squares, joined along the outermost axis, cut again, and one part doubled:
//   y = concat(x^2, x^4); (a, b) = split(y); z = concat(b + b, a, a)
struct Network {
  GraphBuilder b;
  int x, s, q, y, first, second, sum, z;
  explicit Network(bool keep_first = false) {
    const auto value = [&](int rows) { return b.value(DType::kFloat32, {1, rows, 5}); };
    x = b.input(DType::kFloat32, {1, 3, 5});
    s = value(3), q = value(3), y = value(6), first = value(3), second = value(3), sum = value(3);
    z = value(9);
    b.node(opcode::kSQUARE, {x}, {s});
    b.node(opcode::kSQUARE, {s}, {q});
    ConcatenationAttributes along;
    along.axis = 1;
    b.node(opcode::kCONCATENATION, {s, q}, {y}, along);
    SplitAttributes two;
    two.num_splits = 2;
    b.node(opcode::kSPLIT, {b.constant<int32_t>(DType::kInt32, {1}, {1}), y}, {first, second}, two);
    b.node(opcode::kADD, {second, second}, {sum}, AddAttributes{});
    b.node(opcode::kCONCATENATION, {sum, first, first}, {z}, along);
    b.output(z);
    if (keep_first) b.output(first);
  }
};

std::vector<float> run(const Network& n, bool preserve_all) {
  PlanOptions options;
  options.preserve_all = preserve_all;
  auto plan = Plan::build(n.b.model(), 0, options);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  auto session = Session::create(*plan, 1);
  REQUIRE(session.ok());
  for (int i = 0; i < 15; ++i) {
    const float v = 0.25f * static_cast<float>(i);
    std::memcpy((*session)->data(n.x) + 4 * i, &v, 4);
  }
  REQUIRE((*session)->run().ok());
  std::vector<float> z(45);
  std::memcpy(z.data(), (*session)->data(n.z), 180);
  return z;
}

}  // namespace

TEST_CASE(
    "shared places: what is joined and cut lies where it belongs, and gives the same values") {
  for (bool keep_first : {false, true}) {
    const Network n(keep_first);
    const std::vector<float> z = run(n, false);
    CHECK(z == run(n, true));
    CHECK(z[14] == 2 * 3.5f * 3.5f * 3.5f * 3.5f);
    CHECK(z[44] == 3.5f * 3.5f);
  }
}

TEST_CASE("shared places: pieces follow each other in the whole") {
  const Network n;
  const auto plan = Plan::build(n.b.model(), 0, {});
  REQUIRE(plan.ok());
  const auto offset = [&](int value) { return (*plan)->place(value).offset; };
  CHECK(offset(n.q) == offset(n.s) + 60);
  CHECK(offset(n.y) == offset(n.s));
  CHECK(offset(n.first) == offset(n.y));
  CHECK(offset(n.second) == offset(n.y) + 60);
}

}  // namespace edge
