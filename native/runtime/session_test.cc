#include "runtime/session.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include "graph/builder.h"

namespace edge {
namespace {

// conv -> depthwise -> average pool -> reshape -> fully connected -> softmax, int8
GraphBuilder network() {
  GraphBuilder b;
  auto weights = [&](Shape shape) {
    std::vector<int8_t> data(static_cast<size_t>(shape.count()));
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<int8_t>(i * 61 % 251);
    return b.constant<int8_t>(DType::kInt8, shape, data, 0.02f);
  };
  const int x = b.input(DType::kInt8, {1, 32, 32, 3}, 0.05f, -3);
  const int c = b.value(DType::kInt8, {1, 32, 32, 24}, 0.3f, 4);
  const int d = b.value(DType::kInt8, {1, 16, 16, 24}, 0.3f, -9);
  const int p = b.value(DType::kInt8, {1, 1, 1, 24}, 0.3f, -9);
  const int r = b.value(DType::kInt8, {1, 24}, 0.3f, -9);
  const int f = b.value(DType::kInt8, {1, 10}, 0.5f, 0);
  const int y = b.value(DType::kInt8, {1, 10}, 1.f / 256, -128);
  Conv2DAttributes conv;
  conv.stride_h = conv.stride_w = 1;
  DepthwiseConv2DAttributes depthwise;
  depthwise.stride_h = depthwise.stride_w = 2;
  depthwise.depth_multiplier = 1;
  Pool2DAttributes pool;
  pool.stride_h = pool.stride_w = pool.filter_h = pool.filter_w = 16;
  pool.padding = Padding::kValid;
  const int shape = b.constant<int32_t>(DType::kInt32, {2}, {1, 24});
  b.node(opcode::kCONV_2D, {x, weights({24, 3, 3, 3})}, {c}, conv);
  b.node(opcode::kDEPTHWISE_CONV_2D, {c, weights({1, 3, 3, 24})}, {d}, depthwise);
  b.node(opcode::kAVERAGE_POOL_2D, {d}, {p}, pool);
  b.node(opcode::kRESHAPE, {p, shape}, {r});
  b.node(opcode::kFULLY_CONNECTED, {r, weights({10, 24})}, {f});
  b.node(opcode::kSOFTMAX, {f}, {y}, SoftmaxAttributes{1.f});
  b.output(y);
  return b;
}

std::vector<uint8_t> run(const std::shared_ptr<Session>& s, uint8_t seed) {
  const Graph& g = s->plan().graph();
  uint8_t* x = s->data(g.inputs[0]);
  for (size_t i = 0; i < 32 * 32 * 3; ++i) x[i] = static_cast<uint8_t>(i * seed);
  REQUIRE(s->run().ok());
  const uint8_t* y = s->data(g.outputs[0]);
  return {y, y + 10};
}

std::shared_ptr<const Plan> make_plan() {
  auto plan = Plan::build(network().model(), 0, {});
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  return *plan;
}

}  // namespace

TEST_CASE("session: any number of threads gives the same bytes") {
  const auto plan = make_plan();
  const auto expected = run(*Session::create(plan, 1), 7);
  for (int threads : {2, 3, 5}) CHECK(run(*Session::create(plan, threads), 7) == expected);
}

TEST_CASE("session: sessions of one plan run side by side") {
  const auto plan = make_plan();
  std::vector<std::vector<uint8_t>> expected(4), got(4);
  for (uint8_t i = 0; i < 4; ++i)
    expected[i] = run(*Session::create(plan, 1), static_cast<uint8_t>(i + 3));
  std::vector<std::thread> threads;
  for (uint8_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto session = *Session::create(plan, 2);
      for (int n = 0; n < 20; ++n) got[i] = run(session, static_cast<uint8_t>(i + 3));
    });
  }
  for (auto& t : threads) t.join();
  CHECK(got == expected);
}

TEST_CASE("session: inputs keep what was written across runs") {
  const auto session = *Session::create(make_plan(), 1);
  const auto first = run(session, 11);
  REQUIRE(session->run().ok());
  const uint8_t* y = session->data(session->plan().graph().outputs[0]);
  CHECK(std::vector<uint8_t>(y, y + 10) == first);
}

TEST_CASE("plan: a reshape takes no memory of its own") {
  const auto plan = make_plan();
  const Graph& g = plan->graph();
  for (const Node& n : g.nodes) {
    if (n.opcode != opcode::kRESHAPE) continue;
    CHECK(plan->place(n.inputs[0]).offset == plan->place(n.outputs[0]).offset);
  }
}

TEST_CASE("plan: a sum takes the place of an operand that nobody reads any more") {
  GraphBuilder b;
  const int x = b.input(DType::kFloat32, {4});
  const int one = b.constant<float>(DType::kFloat32, {1}, {1});
  std::vector<int> sums{x};
  for (int i = 0; i < 4; ++i) sums.push_back(b.value(DType::kFloat32, {4}));
  b.node(opcode::kADD, {x, one}, {sums[1]});        // the caller's input stays
  b.node(opcode::kADD, {sums[1], one}, {sums[2]});  // read again below: stays
  b.node(opcode::kADD, {one, sums[2]}, {sums[3]});
  b.node(opcode::kMUL, {sums[1], sums[3]}, {sums[4]});
  b.output(sums[4]);
  const auto plan = Plan::build(b.model(), 0, {});
  REQUIRE(plan.ok());
  const auto offset = [&](int i) { return (*plan)->place(sums[static_cast<size_t>(i)]).offset; };
  CHECK(offset(1) != offset(0));
  CHECK(offset(2) != offset(1));
  CHECK(offset(3) == offset(2));
  CHECK(offset(4) == offset(1));
  const auto session = *Session::create(*plan, 1);
  float* in = reinterpret_cast<float*>(session->data(x));
  for (int i = 0; i < 4; ++i) in[i] = static_cast<float>(i);
  REQUIRE(session->run().ok());
  const float* out = reinterpret_cast<const float*>(session->data(sums[4]));
  for (int i = 0; i < 4; ++i) CHECK(out[i] == static_cast<float>((i + 1) * (i + 3)));
}

TEST_CASE("plan: input shapes can be changed, and impossible ones are refused") {
  PlanOptions options;
  options.input_shapes[0] = {3, 32, 32, 3};
  const auto batched = Plan::build(network().model(), 0, options);
  CHECK_FALSE(batched.ok());  // the reshape to [1,24] does not take three pictures
  options.input_shapes = {{5, {1}}};
  CHECK(Plan::build(network().model(), 0, options).status().code() == Code::kInvalidArgument);
}

TEST_CASE("session: on 32 bits, more variables than can be counted are refused") {
  if (sizeof(size_t) > 4) return;  // they could be had
  GraphBuilder b;
  b.output(b.input(DType::kInt8, {1}));
  for (int i = 0; i < 4; ++i) {
    b.graph().values[static_cast<size_t>(b.value(DType::kInt8, {1 << 30}))].variable = true;
  }
  const auto plan = Plan::build(b.model(), 0, {});
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  CHECK(Session::create(*plan, 1).status().code() == Code::kResource);
}

TEST_CASE("plan: scratch memory that 32 bits cannot count does not wrap") {
  const auto scratch = [](const GraphBuilder& b) {
    const auto plan = Plan::build(b.model(), 0, {});
    REQUIRE_MESSAGE(plan.ok(), plan.status().message());
    return std::max((*plan)->scratch_shared(), (*plan)->scratch_per_worker());
  };
  {
    GraphBuilder b;  // x as int16, and w
    const int x = b.input(DType::kInt8, {65535, 32768}, 1),
              w = b.input(DType::kInt8, {32768, 1}, 1);
    const int y = b.value(DType::kInt8, {65535, 1}, 1);
    b.node(opcode::kBATCH_MATMUL, {x, w}, {y}, BatchMatMulAttributes{});
    b.output(y);
    CHECK(scratch(b) >= UINT32_MAX);
  }
  {
    GraphBuilder b;  // an index of each element
    const int x = b.input(DType::kInt8, {1 << 30});
    const int k = b.constant<int32_t>(DType::kInt32, {}, {1});
    const int y = b.value(DType::kInt8, {1}), i = b.value(DType::kInt32, {1});
    b.node(opcode::kTOPK_V2, {x, k}, {y, i});
    b.output(y);
    CHECK(scratch(b) >= UINT32_MAX);
  }
}

TEST_CASE("missing_ops: names what this build cannot run") {
  GraphBuilder b;
  const int x = b.input(DType::kFloat32, {1});
  const int y = b.value(DType::kFloat32, {1});
  b.node(opcode::kCUSTOM, {x}, {y});
  b.graph().nodes[0].custom_name = "edgetpu-custom-op";
  b.output(y);
  const auto missing = missing_ops(b.graph());
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].op == "CUSTOM:edgetpu-custom-op");
  CHECK(Plan::build(b.model(), 0, {}).status().code() == Code::kUnsupported);
}

TEST_CASE(
    "plan: an op takes any kernel of its family that the options name, and gives the same bytes") {
  const auto plan = make_plan();
  int chosen = 0;
  for (const Step& step : plan->steps()) {
    for (const char* candidate : step.candidates) {
      PlanOptions options;
      options.kernels[step.nodes[0]] = candidate;
      const auto other = Plan::build(network().model(), 0, options);
      REQUIRE_MESSAGE(other.ok(), other.status().message());
      for (const Step& s : (*other)->steps()) {
        if (s.nodes == step.nodes) CHECK(s.kernel == candidate);
      }
      auto mine = Session::create(plan, 1), theirs = Session::create(*other, 1);
      REQUIRE((mine.ok() && theirs.ok()));
      CHECK(run(*mine, 7) == run(*theirs, 7));
      ++chosen;
    }
  }
  CHECK(chosen > 0);
}

TEST_CASE("plan: a kernel that an op cannot use is an error that names both") {
  PlanOptions options;
  options.kernels[2] = "average_u8_scalar";  // the op is int8
  const Status wrong = Plan::build(network().model(), 0, options).status();
  CHECK(wrong.code() == Code::kInvalidArgument);
  CHECK(wrong.message().find("AVERAGE_POOL_2D") != std::string::npos);
  CHECK(wrong.message().find("average_u8_scalar") != std::string::npos);
  options.kernels = {{99, "average_i8_scalar"}};
  CHECK(Plan::build(network().model(), 0, options).status().code() == Code::kInvalidArgument);
}

}  // namespace edge
