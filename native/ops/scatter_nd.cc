// SCATTER_ND: zeros of the shape in input 2, to which row i of input 1 is added at the place that
// row i of the indices names.
#include <cstring>

#include "ops/support/by_type.h"
#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  int64_t rows = 0, inner = 0;  // elements
  Coordinates place;
  size_t index_bytes = 0, out_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                               DType::kInt32, DType::kInt64, DType::kBool}));
  EDGE_TRY(op.expect_input(2, {DType::kInt32, DType::kInt64}));
  return op.expect_output(0, {op.in(1).spec.dtype});
}

// The output has the extents that the indices choose from, then those of a row of updates.
Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &index = op.in(0).spec.shape, &updates = op.in(1).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(2));
  Shape& y = (*shapes)[0];
  for (int64_t extent : extents) EDGE_TRY(append_extent(extent, &y));
  const int outer = index.rank() - 1;
  bool fits =
      outer >= 0 && index[outer] <= y.rank() && updates.rank() - outer == y.rank() - index[outer];
  for (int i = 0; fits && i < updates.rank(); ++i) {
    fits = updates[i] == (i < outer ? index[i] : y[index[outer] + i - outer]);
  }
  if (fits) return {};
  return invalid_model(format("indices %s and updates %s for %s", to_string(index).c_str(),
                              to_string(updates).c_str(), to_string(y).c_str()));
}

Status prepare(PrepareContext& op) {
  const Shape& index = op.in(0).spec.shape;
  const TensorSpec& y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.type = y.dtype;
  s.index_bytes = dtype_size(op.in(0).spec.dtype);
  EDGE_ASSIGN(s.out_bytes, byte_size(y.dtype, y.shape));
  if (op.in(1).spec.shape.count() == 0) return {};
  s.rows = index.count(0, index.rank() - 1);
  s.inner = op.in(1).spec.shape.count() / s.rows;
  s.place = Coordinates(y.shape, index[index.rank() - 1], dtype_size(y.dtype));
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.out_bytes) std::memset(run.out<uint8_t>(0), 0, s.out_bytes);
  const Indices index(run.in<uint8_t>(0), s.index_bytes);
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    const T* from = run.in<T>(1);
    for (int64_t i = 0; i < s.rows; ++i, from += s.inner) {
      const int64_t at = s.place.offset(index, i);
      if (at < 0) return run.fail(invalid_argument(row_outside(i)));
      T* to = reinterpret_cast<T*>(run.out<uint8_t>(0) + at);
      for (int64_t k = 0; k < s.inner; ++k) {
        to[k] = s.type == DType::kBool ? static_cast<T>(to[k] != 0 || from[k] != 0)
                                       : wrapping_sum(to[k], from[k]);
      }
    }
  });
}

}  // namespace

extern const OpDef op_scatter_nd{check, infer, prepare, eval};

}  // namespace edge
