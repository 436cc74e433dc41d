// SEGMENT_SUM: sums of the rows of input 0 that have the same number in input 1: 0, 1, 2, ... in
// order, each once or more. The numbers decide the shape.
#include "ops/support/segments.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt32}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &numbers = op.in(1).spec.shape;
  if (x.rank() < 1 || numbers.rank() != 1 || numbers[0] != x[0]) {
    return invalid_model(
        format("numbers %s for %s", to_string(numbers).c_str(), to_string(x).c_str()));
  }
  EDGE_ASSIGN(const std::vector<int64_t> ids, op.constant_integers(1));
  int64_t last = -1;
  for (int64_t id : ids) {
    if (id != last + 1 && (id != last || id < 0)) {
      return invalid_model(format("segment %lld follows %lld", static_cast<long long>(id),
                                  static_cast<long long>(last)));
    }
    last = id;
  }
  EDGE_TRY(append_extent(last + 1, &(*shapes)[0]));
  for (int i = 1; i < x.rank(); ++i) (*shapes)[0].push_back(x[i]);
  return {};
}

struct Fold {
  template <typename T>
  static T first() {
    return 0;
  }
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_sum(a, b);
  }
};

}  // namespace

extern const OpDef op_segment_sum{check, infer, prepare_segments, eval_segments<Fold>};

}  // namespace edge
