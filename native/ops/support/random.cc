#include "ops/support/random.h"

#include "ops/support/movement.h"

namespace edge {

Status check_random_floats(const OpView& op) {
  EDGE_TRY(op.expect_attributes<RandomAttributes>());
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32}));
  return op.expect_output(0, {DType::kFloat32});
}

Status infer_random_floats(const OpView& op, std::vector<Shape>* shapes) {
  if (op.in(0).spec.shape.rank() != 1) return invalid_model("its input is no shape");
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(0));
  for (int64_t extent : extents) EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  return {};
}

Status prepare_random_floats(PrepareContext& op) {
  const auto& a = op.attributes<RandomAttributes>();
  RandomFloats& s = op.make_state<RandomFloats>();
  s.random.seed(a.seed, a.seed2);
  op.kept_bytes = Random::kKeptBytes;
  s.count = static_cast<size_t>(op.out(0).spec.shape.count());
  return {};
}

}  // namespace edge
