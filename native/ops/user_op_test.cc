#include "ops/user_op.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "graph/builder.h"
#include "runtime/session.h"

namespace edge {
namespace {

Status add_up(const UserNode& node, const EvalContext& run) {
  const int64_t count = node.outputs[0].shape.count();
  for (int64_t i = 0; i < count; ++i) {
    run.out<float>(0)[i] = run.in<float>(0)[i] + static_cast<float>(node.options[0]);
  }
  return {};
}

constexpr uint8_t kOption = 5;

std::shared_ptr<const Model> model() {
  GraphBuilder b;
  const int x = b.input(DType::kFloat32, {3}), y = b.value(DType::kFloat32, {3});
  b.node(opcode::kCUSTOM, {x}, {y});
  b.output(y);
  Node& node = b.graph().nodes[0];
  node.custom_name = "AddUp";
  node.custom_options = {&kOption, 1};
  return b.model();
}

TEST_CASE("user_op: a function of the program runs a custom op") {
  CHECK(Plan::build(model(), 0, {}).status().code() == Code::kUnsupported);
  REQUIRE(register_user_op("AddUp", {add_up, nullptr}).ok());
  const auto plan = Plan::build(model(), 0, {});
  REQUIRE(plan.ok());
  CHECK(unregister_user_op("AddUp"));
  CHECK_FALSE(unregister_user_op("AddUp"));
  const auto session = Session::create(*plan, 1);
  REQUIRE(session.ok());
  const Graph& g = (*plan)->graph();
  reinterpret_cast<float*>((*session)->data(g.inputs[0]))[1] = 2;
  REQUIRE((*session)->run().ok());
  CHECK(reinterpret_cast<float*>((*session)->data(g.outputs[0]))[1] == 7);
}

TEST_CASE("user_op: inference decides shapes and types, and is checked") {
  const auto build = [](std::vector<Shape> wanted, std::vector<DType> types) {
    UserOp op{[](const UserNode&, const EvalContext&) { return Status(); },
              [=](const UserNode&, std::vector<Shape>* s, std::vector<DType>* t) {
                *s = wanted;
                *t = types;
                return Status();
              }};
    REQUIRE(register_user_op("AddUp", op).ok());
    return Plan::build(model(), 0, {});
  };
  const auto plan = build({{4, 5}}, {DType::kInt16});
  REQUIRE(plan.ok());
  const TensorSpec& y = (*plan)->graph().values[1].spec;
  CHECK(y.shape == Shape{4, 5});
  CHECK(y.dtype == DType::kInt16);
  CHECK_FALSE(build({}, {}).ok());
  CHECK_FALSE(build({{4, 5}}, {}).ok());
  CHECK_FALSE(build({{4, -5}}, {DType::kInt16}).ok());
  CHECK_FALSE(build({{4, 5}}, {DType::kString}).ok());
  CHECK(unregister_user_op("AddUp"));
}

TEST_CASE("user_op: registering and building plans at once") {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) {
      (void)register_user_op("AddUp", {add_up, nullptr});
      (void)unregister_user_op("AddUp");
    }
  });
  for (int i = 0; i < 3000; ++i) {
    const auto plan = Plan::build(model(), 0, {});
    if (!plan.ok()) CHECK(plan.status().code() == Code::kUnsupported);
  }
  done = true;
  other.join();
  (void)unregister_user_op("AddUp");
}

TEST_CASE("user_op: nothing to call or no name") {
  CHECK(register_user_op("AddUp", {}).code() == Code::kInvalidArgument);
  CHECK(register_user_op("", {add_up, nullptr}).code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace edge
