#include "runtime/chain.h"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/builder.h"
#include "kernels/testing.h"
#include "runtime/session.h"

namespace edge {
namespace {

using testing::Random;

// Convolutions behind one another, of random shapes and weights; bare of passes.
class RandomChain {
 public:
  RandomChain(DType type, Random& random) : type_(type), random_(random) {
    const int h = integer(9, 26), w = integer(5, 12);
    shape_ = {integer(1, 3), h, w, integer(1, 20)};
    input_ = value_ = b_.input(type_, shape_, scale(0.1f), zero_point());
  }

  int add_conv() {
    const int filter = random_.pick({1, 1, 1, 3, 5});
    Conv2DAttributes a;
    const int out = integer(1, 33);
    const int w = weights({out, filter, filter, shape_[3]}, 0.02f);
    place(&a, filter, out);
    b_.node(opcode::kCONV_2D, {from_, w, bias(out)}, {value_}, a);
    return value_;
  }
  int add_depthwise() {
    const int filter = random_.pick({3, 3, 5, 2});
    DepthwiseConv2DAttributes a;
    a.depth_multiplier = random_.pick({1, 1, 1, 2, 3});
    const int out = shape_[3] * a.depth_multiplier;
    const int w = weights({1, filter, filter, out}, 0.02f);
    place(&a, filter, out);
    b_.node(opcode::kDEPTHWISE_CONV_2D, {from_, w, bias(out)}, {value_}, a);
    return value_;
  }

  Graph& graph() { return b_.graph(); }
  int input() const { return input_; }
  int output() const { return value_; }
  size_t bytes(int value) {
    const TensorSpec& s = graph().values[static_cast<size_t>(value)].spec;
    return *byte_size(s.dtype, s.shape);
  }

  // Any number of any bits, floats between -1 and 1.
  std::vector<uint8_t> noise(size_t bytes) {
    std::vector<uint8_t> data(bytes);
    for (uint8_t& x : data) x = random_.any<uint8_t>();
    for (size_t i = 0; type_ == DType::kFloat32 && i < bytes; i += 4) {
      const float x = random_.real(-1, 1);
      std::memcpy(&data[i], &x, 4);
    }
    return data;
  }

 private:
  int integer(int low, int high) { return static_cast<int>(random_.integer(low, high)); }
  float scale(float s) const { return type_ == DType::kFloat32 ? 0 : s; }
  int zero_point() {
    if (type_ == DType::kUInt8) return integer(0, 255);
    return type_ == DType::kInt8 ? integer(-128, 127) : 0;
  }
  int weights(Shape shape, float s) {
    const std::vector<uint8_t> data = noise(static_cast<size_t>(shape.count()) * dtype_size(type_));
    return b_.constant(type_, shape, data, scale(s), type_ == DType::kUInt8 ? zero_point() : 0);
  }
  int bias(int channels) {
    const Shape shape{channels};
    if (type_ == DType::kFloat32) return weights(shape, 0);
    std::vector<int32_t> data;
    for (int i = 0; i < channels; ++i) data.push_back(integer(-3000, 3000));
    return b_.constant<int32_t>(DType::kInt32, shape, data, 0.002f);
  }
  // Strides, dilation and padding, and the value that comes out.
  template <typename Attributes>
  void place(Attributes* a, int filter, int out) {
    a->stride_h = a->stride_w = random_.pick({1, 1, 2});
    const bool dilated = a->stride_h == 1 && integer(0, 4) == 0;
    a->dilation_h = a->dilation_w = dilated ? 2 : 1;
    a->padding = random_.pick({Padding::kSame, Padding::kValid});
    const int extent = (filter - 1) * a->dilation_h + 1;
    if (shape_[1] < extent || shape_[2] < extent) a->padding = Padding::kSame;
    a->activation = random_.pick({Activation::kNone, Activation::kRelu6});
    from_ = value_;
    for (int axis : {1, 2}) {
      const bool same = a->padding == Padding::kSame;
      const int room = same ? shape_[axis] + a->stride_h - 1 : shape_[axis] - extent + a->stride_h;
      shape_[axis] = room / a->stride_h;
    }
    shape_[3] = out;
    value_ = b_.value(type_, shape_, scale(0.25f), zero_point());
  }

  GraphBuilder b_;
  DType type_;
  Random& random_;
  Shape shape_;
  int input_, value_, from_ = 0;
};

Step prepared(const Graph& graph, const Node& node) {
  PrepareContext context(graph, node);
  Step step;
  step.def = find_op(node);
  const Status status = step.def->prepare(context);
  REQUIRE_MESSAGE(status.ok(), status.message());
  step.state = context.state;
  step.rows = context.rows;
  step.inputs = node.inputs;
  step.outputs = node.outputs;
  step.scratch_per_worker = align_up(context.scratch_per_worker);
  return step;
}

// The step's output; memory ends where a step may not look any more.
std::vector<uint8_t> run(const Step& step, const std::vector<uint8_t>& input, size_t bytes,
                         int threads) {
  std::vector<uint8_t> in(input), out(bytes + kOverread, 0x5a);
  in.resize(in.size() + kOverread, 0xa5);
  Arena scratch(step.scratch_per_worker * static_cast<size_t>(threads));
  std::memset(scratch.data(), 0x77, scratch.size());
  ThreadPool pool(threads);
  Status status;
  uint8_t *inputs[] = {in.data()}, *outputs[] = {out.data()};
  step.def->eval(EvalContext(step.state.get(), inputs, outputs, &pool,
                             {scratch.data(), step.scratch_per_worker, nullptr, nullptr}, &status));
  for (size_t i = bytes; i < out.size(); ++i) REQUIRE(out[i] == 0x5a);
  out.resize(bytes);
  return out;
}

}  // namespace

TEST_CASE("chain: tiles of any height on any number of threads give the bytes of step by step") {
  Random random;
  for (int round = 0; round < 150; ++round) {
    const DType type = random.pick({DType::kInt8, DType::kInt8, DType::kUInt8, DType::kFloat32});
    RandomChain net(type, random);
    if (random.integer(0, 3)) net.add_conv();
    net.add_depthwise();
    if (random.integer(0, 3)) net.add_conv();
    if (random.integer(0, 3) == 0) net.add_depthwise();
    if (random.integer(0, 3) == 0) net.add_conv();
    const std::vector<uint8_t> input = net.noise(net.bytes(net.input()));
    std::vector<Step> steps;
    std::vector<uint8_t> expected = input;
    for (const Node& node : net.graph().nodes) {
      steps.push_back(prepared(net.graph(), node));
      if (steps.size() > 1) REQUIRE(can_follow(net.graph(), steps[steps.size() - 2], steps.back()));
      expected = run(steps.back(), expected, net.bytes(node.outputs[0]), 1);
    }
    for (int height : {1, 2, 3, 5, 8, 40}) {
      const Step chain = make_chain(net.graph(), steps, height);
      for (int threads = 1; threads <= 4; ++threads) {
        CAPTURE(round);
        CAPTURE(height);
        CAPTURE(threads);
        REQUIRE(run(chain, input, expected.size(), threads) == expected);
      }
    }
  }
}

namespace {

// 8 channels of 64 x 64 pixels, widened to 48, seen through a window, and narrowed again.
struct Block {
  GraphBuilder b;
  int x = b.input(DType::kInt8, {1, 64, 64, 8}, 0.1f, 3);
  int wide, seen, y;

  explicit Block(int dilation = 1) {
    Conv2DAttributes conv;
    conv.stride_h = conv.stride_w = 1;
    DepthwiseConv2DAttributes depthwise;
    depthwise.stride_h = depthwise.stride_w = 1;
    depthwise.dilation_h = depthwise.dilation_w = dilation;
    wide = b.value(DType::kInt8, {1, 64, 64, 48}, 0.2f, -5);
    seen = b.value(DType::kInt8, {1, 64, 64, 48}, 0.3f, 7);
    y = b.value(DType::kInt8, {1, 64, 64, 8}, 0.3f, 0);
    b.node(opcode::kCONV_2D, {x, weights({48, 1, 1, 8})}, {wide}, conv);
    b.node(opcode::kDEPTHWISE_CONV_2D, {wide, weights({1, 3, 3, 48})}, {seen}, depthwise);
    b.node(opcode::kCONV_2D, {seen, weights({8, 1, 1, 48})}, {y}, conv);
    b.output(y);
  }
  int weights(Shape shape) {
    std::vector<int8_t> data(static_cast<size_t>(shape.count()));
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<int8_t>(i * 61 % 251);
    return b.constant<int8_t>(DType::kInt8, shape, data, 0.02f);
  }
  std::shared_ptr<const Plan> plan(const PlanOptions& options = {}) const {
    auto made = Plan::build(b.model(), 0, options);
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    return *made;
  }
};

PlanOptions keeping_all() {
  PlanOptions options;
  options.preserve_all = true;
  return options;
}

std::vector<uint8_t> run(const std::shared_ptr<const Plan>& plan, int input, int output) {
  const auto session = *Session::create(plan, 2);
  for (int i = 0; i < 64 * 64 * 8; ++i) session->data(input)[i] = static_cast<uint8_t>(i * 7);
  REQUIRE(session->run().ok());
  const uint8_t* y = session->data(output);
  return {y, y + 64 * 64 * 8};
}

}  // namespace

TEST_CASE("chain: a plan runs a block in rows, without memory for what lies between") {
  const Block block;
  const auto chained = block.plan(), whole = block.plan(keeping_all());
  REQUIRE(chained->steps().size() == 1);
  const Step& step = chained->steps()[0];
  CHECK(step.op == "CONV_2D+DEPTHWISE_CONV_2D+CONV_2D");
  CHECK(step.nodes == std::vector<int>{0, 1, 2});
  CHECK(step.macs == 64 * 64 * 48 * (8 + 9 + 8));
  CHECK(step.parts.size() == 3);
  CHECK(chained->place(block.wide).kind == Place::kNone);
  CHECK(chained->arena_bytes() == 2 * 64 * 64 * 8);
  CHECK(chained->weight_bytes() == whole->weight_bytes());
  CHECK(run(chained, block.x, block.y) == run(whole, block.x, block.y));
}

TEST_CASE("chain: values that others read, or that are outputs, stay whole") {
  Block output, shared;
  output.b.output(output.wide);
  const int sum = shared.b.value(DType::kInt8, {1, 64, 64, 48}, 0.3f, 0);
  shared.b.node(opcode::kADD, {shared.wide, shared.wide}, {sum});
  shared.b.output(sum);
  for (const Block* block : {&output, &shared}) {
    const auto plan = block->plan(), whole = block->plan(keeping_all());
    CHECK(plan->place(block->wide).kind == Place::kArena);
    CHECK(plan->place(block->seen).kind == Place::kNone);
    CHECK(run(plan, block->x, block->y) == run(whole, block->x, block->y));
  }
}

TEST_CASE("chain: each part takes the kernel that the options name") {
  const Block block;
  const auto usual = block.plan();
  for (const Step& part : usual->steps()[0].parts) {
    for (const char* candidate : part.candidates) {
      PlanOptions options;
      options.kernels[part.nodes[0]] = candidate;
      const auto plan = block.plan(options);
      for (const Step& step : plan->steps()) {
        for (const Step& p : step.parts) {
          if (p.nodes == part.nodes) CHECK(p.kernel == candidate);
        }
      }
      CHECK(run(plan, block.x, block.y) == run(usual, block.x, block.y));
    }
  }
}

}  // namespace edge
