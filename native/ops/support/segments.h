// UNSORTED_SEGMENT_*: rows of input 0 folded into those of the output whose numbers input 1 gives;
// rows with negative numbers are left out.
#pragma once

#include <algorithm>
#include <limits>

#include "ops/support/by_type.h"
#include "ops/support/movement.h"

namespace edge {

struct Segments {
  DType type = DType::kFloat32;
  int64_t rows = 0, segments = 0, inner = 0;
};

inline Status check_segments(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt32}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  EDGE_TRY(op.expect_input(2, {DType::kInt32}));
  return op.expect_output_as_input();
}

inline Status infer_segments(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &ids = op.in(1).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> count, op.constant_integers(2));
  bool fits = count.size() == 1 && ids.rank() <= x.rank();
  for (int i = 0; fits && i < ids.rank(); ++i) fits = ids[i] == x[i];
  if (!fits) {
    return invalid_model(format("%zu counts of segments, numbers %s for %s", count.size(),
                                to_string(ids).c_str(), to_string(x).c_str()));
  }
  EDGE_TRY(append_extent(count[0], &(*shapes)[0]));
  for (int i = ids.rank(); i < x.rank(); ++i) EDGE_TRY(append_extent(x[i], &(*shapes)[0]));
  return {};
}

inline Status prepare_segments(PrepareContext& op) {
  Segments& s = op.make_state<Segments>();
  s.type = op.in(0).spec.dtype;
  s.rows = op.in(1).spec.shape.count();
  s.segments = op.out(0).spec.shape[0];
  if (s.segments > 0) s.inner = op.out(0).spec.shape.count() / s.segments;
  return {};
}

// Fold has a static first<T>() and an operator()(T, T).
template <typename Fold>
void eval_segments(const EvalContext& run) {
  const Segments& s = run.state<Segments>();
  by_type<float, int32_t>(s.type, [&](auto of) {
    using T = decltype(of);
    T* out = run.out<T>(0);
    std::fill_n(out, s.segments * s.inner, Fold::template first<T>());
    for (int64_t r = 0; r < s.rows; ++r) {
      const int32_t to = run.in<int32_t>(1)[r];
      if (to < 0) continue;
      if (to >= s.segments) {
        return run.fail(
            invalid_argument(format("segment %d of %lld", to, static_cast<long long>(s.segments))));
      }
      const T* x = run.in<T>(0) + r * s.inner;
      T* y = out + to * s.inner;
      for (int64_t i = 0; i < s.inner; ++i) y[i] = Fold()(y[i], x[i]);
    }
  });
}

}  // namespace edge
