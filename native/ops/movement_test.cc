// Nodes that contradict themselves end in a Status, whichever of check, infer and prepare sees it.
#include <doctest/doctest.h>

#include "graph/builder.h"
#include "runtime/plan.h"
#include "runtime/session.h"

namespace edge {
namespace {

struct Input {
  Shape shape;
  bool constant;
  std::vector<int32_t> values;
};
Input data(Shape shape) { return {shape, false, {}}; }
Input known(std::vector<int32_t> values) {
  const Shape shape{static_cast<int32_t>(values.size())};
  return {shape, true, std::move(values)};
}
Input known(Shape shape, std::vector<int32_t> values) { return {shape, true, std::move(values)}; }

Result<std::shared_ptr<const Plan>> plan(int op, const std::vector<Input>& inputs,
                                         const Attributes& attributes = {}, size_t outputs = 1) {
  GraphBuilder b;
  std::vector<int> ins, outs;
  for (const Input& in : inputs) {
    ins.push_back(in.constant ? b.constant<int32_t>(DType::kInt32, in.shape, in.values)
                              : b.input(DType::kInt32, in.shape));
  }
  for (size_t i = 0; i < outputs; ++i) outs.push_back(b.value(DType::kInt32, {1}));
  b.node(op, ins, outs, attributes);
  for (int out : outs) b.output(out);
  return Plan::build(b.model(), 0, {});
}

void refuses(int op, const std::vector<Input>& inputs, const Attributes& attributes = {},
             size_t outputs = 1) {
  const auto built = plan(op, inputs, attributes, outputs);
  INFO(opcode_name(op));
  CHECK_FALSE(built.ok());
  if (!built.ok())
    CHECK_MESSAGE(built.status().code() == Code::kInvalidModel, built.status().message());
}

TEST_CASE("axes outside of the rank") {
  for (int axis : {4, -5, INT32_MAX, INT32_MIN}) {
    refuses(opcode::kCONCATENATION, {data({1, 2, 3, 4})}, ConcatenationAttributes{axis, {}});
    refuses(opcode::kGATHER, {data({1, 2, 3, 4}), known({0})}, GatherAttributes{axis, 0});
    refuses(opcode::kUNPACK, {data({1, 1, 1, 1})}, UnpackAttributes{1, axis});
    refuses(opcode::kSPLIT, {known({axis}), data({1, 2, 3, 4})}, SplitAttributes{1});
    refuses(opcode::kSPLIT_V, {data({1, 2, 3, 4}), known({1}), known({axis})}, SplitVAttributes{1});
    refuses(opcode::kMEAN, {data({1, 2, 3, 4}), known({axis})}, ReducerAttributes{});
    refuses(opcode::kREDUCE_MAX, {data({1, 2, 3, 4}), known({1, axis})}, ReducerAttributes{});
    refuses(opcode::kARG_MAX, {data({1, 2, 3, 4}), known({axis})});
    refuses(opcode::kSQUEEZE, {data({1, 1, 1, 1})}, SqueezeAttributes{{axis}});
    refuses(opcode::kTRANSPOSE, {data({1, 2, 3, 4}), known({0, 1, 2, axis})});
  }
  for (int axis : {5, -6}) {
    refuses(opcode::kPACK, {data({1, 2, 3, 4})}, PackAttributes{1, axis});
    refuses(opcode::kEXPAND_DIMS, {data({1, 2, 3, 4}), known({axis})});
  }
}

TEST_CASE("shapes that do not fit each other") {
  refuses(opcode::kCONCATENATION, {data({2, 3}), data({2, 3, 1})}, ConcatenationAttributes{});
  refuses(opcode::kCONCATENATION, {data({2, 3}), data({2, 4})}, ConcatenationAttributes{0, {}});
  refuses(opcode::kPACK, {data({2, 3}), data({3, 2})}, PackAttributes{2, 0});
  refuses(opcode::kUNPACK, {data({2, 3})}, UnpackAttributes{3, 0}, 3);
  refuses(opcode::kGATHER, {data({2, 3}), data({3, 2})}, GatherAttributes{1, 1});
  refuses(opcode::kGATHER, {data({2, 3}), data({2})}, GatherAttributes{0, 1});
  refuses(opcode::kGATHER_ND, {data({2, 3}), data({1, 3})});
  refuses(opcode::kBROADCAST_TO, {data({2, 3}), known({2, 4})});
  refuses(opcode::kBROADCAST_TO, {data({2, 3}), known({3})});
  refuses(opcode::kTILE, {data({2, 3}), known({2})});
  refuses(opcode::kTRANSPOSE, {data({2, 3}), known({0})});
  refuses(opcode::kPAD, {data({2, 3}), known({1, 2}, {1, 1})});
  refuses(opcode::kRESIZE_NEAREST_NEIGHBOR, {data({2, 3, 4}), known({2, 2})});
  refuses(opcode::kRESIZE_NEAREST_NEIGHBOR, {data({1, 0, 3, 4}), known({2, 2})});
}

TEST_CASE("cuts that do not come out even") {
  refuses(opcode::kSPLIT, {known({0}), data({5})}, SplitAttributes{2}, 2);
  refuses(opcode::kSPLIT, {known({0}), data({5})}, SplitAttributes{0});
  refuses(opcode::kSPLIT, {known({0}), data({6})}, SplitAttributes{3}, 2);
  refuses(opcode::kSPLIT_V, {data({5}), known({2, 2}), known({0})}, SplitVAttributes{2}, 2);
  refuses(opcode::kSPLIT_V, {data({5}), known({6, -1}), known({0})}, SplitVAttributes{2}, 2);
  refuses(opcode::kSPLIT_V, {data({5}), known({-1, -1}), known({0})}, SplitVAttributes{2}, 2);
  refuses(opcode::kSPLIT_V, {data({5}), known({-2, 7}), known({0})}, SplitVAttributes{2}, 2);
  for (int block : {0, -1, 2, INT32_MAX, INT32_MIN}) {
    refuses(opcode::kDEPTH_TO_SPACE, {data({1, 3, 3, 6})}, DepthToSpaceAttributes{block});
    refuses(opcode::kSPACE_TO_DEPTH, {data({1, 3, 3, 6})}, SpaceToDepthAttributes{block});
  }
}

TEST_CASE("numbers that are no extent, index, stride or permutation") {
  const Input x = data({2, 3});
  refuses(opcode::kTRANSPOSE, {x, known({1, 1})});
  refuses(opcode::kSLICE, {x, known({0, 2}), known({2, 2})});
  refuses(opcode::kSLICE, {x, known({0, -1}), known({2, 1})});
  refuses(opcode::kSLICE, {x, known({0, 0}), known({2, -2})});
  refuses(opcode::kPAD, {x, known({2, 2}, {0, -1, 0, 0})});
  refuses(opcode::kPAD, {x, known({2, 2}, {INT32_MAX, 0, 0, 0})});
  refuses(opcode::kTILE, {x, known({-1, 1})});
  refuses(opcode::kTILE, {x, known({INT32_MAX, 1})});
  refuses(opcode::kFILL, {known({-1}), data({})});
  refuses(opcode::kSQUEEZE, {x}, SqueezeAttributes{{0}});
  refuses(opcode::kGATHER, {x, known({0, 2})}, GatherAttributes{0, 0});
  refuses(opcode::kGATHER, {x, known({-1})}, GatherAttributes{0, 0});
  refuses(opcode::kGATHER_ND, {x, known({2, 2}, {0, 0, 1, 3})});
  refuses(opcode::kARG_MIN, {data({2, 0}), known({1})});
  const auto slice = [&x](std::vector<int32_t> begin, std::vector<int32_t> end,
                          std::vector<int32_t> stride, StridedSliceAttributes a = {}) {
    refuses(opcode::kSTRIDED_SLICE, {x, known(begin), known(end), known(stride)}, a);
  };
  slice({0, 0}, {2, 2}, {1, 0});
  slice({0, 0, 0}, {1, 1, 1}, {1, 1, 1});
  slice({0, 0}, {1, 1}, {1});
  StridedSliceAttributes a;
  a.shrink_axis_mask = 1;
  slice({2}, {3}, {1}, a);
  a = {};
  a.ellipsis_mask = 3;
  slice({0, 0}, {0, 0}, {1, 1}, a);
}

TEST_CASE("an index that is wrong only while running ends the run") {
  const auto run = [](int op, Shape indices, const Attributes& attributes, int32_t index) {
    auto built = plan(op, {data({2, 3}), data(indices)}, attributes);
    REQUIRE(built.ok());
    auto session = Session::create(*built, 1);
    REQUIRE(session.ok());
    const int input = (*built)->graph().inputs[1];
    for (int64_t i = 0; i < indices.count(); ++i) {
      reinterpret_cast<int32_t*>((*session)->data(input))[i] = index;
    }
    return (*session)->run().code();
  };
  for (int32_t index : {-1, 2, INT32_MAX, INT32_MIN}) {
    CHECK(run(opcode::kGATHER, {4}, GatherAttributes{0, 0}, index) == Code::kInvalidArgument);
    CHECK(run(opcode::kGATHER_ND, {4, 2}, {}, index) == Code::kInvalidArgument);
  }
  CHECK(run(opcode::kGATHER, {4}, GatherAttributes{0, 0}, 1) == Code::kOk);
  CHECK(run(opcode::kGATHER_ND, {4, 2}, {}, 1) == Code::kOk);
}

}  // namespace
}  // namespace edge
