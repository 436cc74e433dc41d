#include "ops/support/reduce.h"

#include <algorithm>

namespace edge {
namespace {

// Whether each axis of input 0 is reduced.
Result<std::array<bool, kMaxRank>> reduced_axes(const OpView& op) {
  const int rank = op.in(0).spec.shape.rank();
  EDGE_ASSIGN(const std::vector<int64_t> given, op.constant_integers(1));
  std::array<bool, kMaxRank> reduced{};
  if (rank == 0) return reduced;  // a scalar is its own reduction, whatever the axes say
  for (int64_t a : given) {
    EDGE_ASSIGN(const int axis, OpView::normalize_axis(a, rank));
    reduced[static_cast<size_t>(axis)] = true;
  }
  return reduced;
}

}  // namespace

Status check_reduce(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_attributes<ReducerAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output_as_input();
}

Status infer_reduce(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const auto reduced, reduced_axes(op));
  const bool keep = op.attributes<ReducerAttributes>().keep_dims;
  const Shape& x = op.in(0).spec.shape;
  for (int i = 0; i < x.rank(); ++i) {
    const bool gone = reduced[static_cast<size_t>(i)];
    if (!gone || keep) (*shapes)[0].push_back(gone ? 1 : x[i]);
  }
  return {};
}

Result<Reduction> make_reduction(const OpView& op) {
  EDGE_ASSIGN(const auto reduced, reduced_axes(op));
  const Shape& x = op.in(0).spec.shape;
  Reduction r;
  r.inputs = x.count();
  r.outputs = op.out(0).spec.shape.count();
  if (r.inputs == 0) return r;
  r.folded = r.inputs / r.outputs;
  // From the innermost axis outwards, then turned round.
  int64_t in = 1, out = 1;
  for (int i = x.rank(); i-- > 0;) {
    if (x[i] == 1) continue;
    const bool gone = reduced[static_cast<size_t>(i)];
    Reduction::Axis* inner = r.rank ? &r.axes[static_cast<size_t>(r.rank - 1)] : nullptr;
    if (inner && gone == (inner->out == 0)) {
      inner->count *= x[i];
    } else {
      r.axes[static_cast<size_t>(r.rank++)] = {x[i], in, gone ? 0 : out};
    }
    in *= x[i];
    if (!gone) out *= x[i];
  }
  std::reverse(r.axes.begin(), r.axes.begin() + r.rank);
  return r;
}

}  // namespace edge
