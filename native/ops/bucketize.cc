// BUCKETIZE: how many of the sorted boundaries are not above x.
#include <algorithm>

#include "ops/support/by_type.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  size_t count = 0;
  std::vector<float> boundaries;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<BucketizeAttributes>());
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_output(0, {DType::kInt32}));
  const std::vector<float>& b = op.attributes<BucketizeAttributes>().boundaries;
  for (size_t i = 0; i < b.size(); ++i) {
    if (b[i] != b[i] || (i > 0 && b[i] < b[i - 1])) {
      return invalid_model("its boundaries are not sorted");
    }
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  op.make_state<State>() = {x.dtype, static_cast<size_t>(x.shape.count()),
                            op.attributes<BucketizeAttributes>().boundaries};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, double, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    for_chunks(run.pool(), s.count, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        // An integer is compared as the float32 next to it.
        using Compared = std::conditional_t<std::is_same_v<T, double>, double, float>;
        const Compared x = static_cast<Compared>(run.in<T>(0)[i]);
        const auto above = std::upper_bound(
            s.boundaries.begin(), s.boundaries.end(), x,
            [](Compared a, float boundary) { return a < static_cast<Compared>(boundary); });
        run.out<int32_t>(0)[i] = static_cast<int32_t>(above - s.boundaries.begin());
      }
    });
  });
}

}  // namespace

extern const OpDef op_bucketize{check, infer_unary, prepare, eval};

}  // namespace edge
