// SPARSE_TO_DENSE: an array of the shape in input 1 that holds input 3 but at the places that the
// rows of input 0 name: there it holds input 2, one value for all or one a row.
#include <cstring>

#include "ops/support/fill.h"
#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  int64_t rows = 0;
  bool one_value = false;
  Coordinates place;
  size_t element = 0, index_bytes = 0, out_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(4, 4, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(expect_movable(op, 2));
  EDGE_TRY(op.expect_input(3, {op.in(2).spec.dtype}));
  return op.expect_output(0, {op.in(2).spec.dtype});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &index = op.in(0).spec.shape, &values = op.in(2).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(1));
  Shape& y = (*shapes)[0];
  for (int64_t extent : extents) EDGE_TRY(append_extent(extent, &y));
  const int64_t rows = index.rank() < 2 ? index.count() : index[0];
  const int64_t depth = index.rank() < 2 ? 1 : index[1];
  const bool fits = index.rank() <= 2 && depth == y.rank() && values.rank() <= 1 &&
                    (values.rank() == 0 || values[0] == rows) && op.in(3).spec.shape.count() == 1;
  if (fits) return {};
  return invalid_model(format("indices %s and values %s for %s", to_string(index).c_str(),
                              to_string(values).c_str(), to_string(y).c_str()));
}

Status prepare(PrepareContext& op) {
  const Shape& index = op.in(0).spec.shape;
  const TensorSpec& y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.element = dtype_size(y.dtype);
  s.index_bytes = dtype_size(op.in(0).spec.dtype);
  EDGE_ASSIGN(s.out_bytes, byte_size(y.dtype, y.shape));
  s.rows = index.rank() < 2 ? index.count() : index[0];
  s.one_value = op.in(2).spec.shape.rank() == 0;
  s.place = Coordinates(y.shape, y.shape.rank(), s.element);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  fill_bytes(run.out<uint8_t>(0), s.out_bytes, run.in<uint8_t>(3), s.element);
  const Indices index(run.in<uint8_t>(0), s.index_bytes);
  for (int64_t i = 0; i < s.rows; ++i) {
    const int64_t at = s.place.offset(index, i);
    if (at < 0) return run.fail(invalid_argument(row_outside(i)));
    const size_t from = s.one_value ? 0 : static_cast<size_t>(i) * s.element;
    std::memcpy(run.out<uint8_t>(0) + at, run.in<uint8_t>(2) + from, s.element);
  }
}

}  // namespace

extern const OpDef op_sparse_to_dense{check, infer, prepare, eval};

}  // namespace edge
