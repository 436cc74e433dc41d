// GATHER_ND: y[i, n] = x[index[i, 0], ..., index[i, k - 1], n], where i runs over all but the last
// axis of index, which has k elements.
#include <cstring>

#include "ops/support/indices.h"
#include "ops/support/movement.h"
#include "ops/support/strings.h"

namespace edge {
namespace {

struct State {
  int64_t rows = 0;
  Coordinates place;
  size_t inner = 0;  // bytes, or strings
  bool strings = false;
  size_t index_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(expect_movable(op, 0, /*strings=*/true));
  EDGE_TRY(expect_indices(op, 1));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &index = op.in(1).spec.shape;
  if (x.rank() < 1 || index.rank() < 1 || index[index.rank() - 1] > x.rank()) {
    return invalid_model(
        format("indices %s into %s", to_string(index).c_str(), to_string(x).c_str()));
  }
  Shape& y = (*shapes)[0];
  for (int i = 0; i + 1 < index.rank(); ++i) EDGE_TRY(append_extent(index[i], &y));
  for (int i = index[index.rank() - 1]; i < x.rank(); ++i) EDGE_TRY(append_extent(x[i], &y));
  return {};
}

Status prepare(PrepareContext& op) {
  const Value& given = op.in(1);
  const Shape &x = op.in(0).spec.shape, &index = given.spec.shape;
  State& s = op.make_state<State>();
  s.strings = op.in(0).spec.dtype == DType::kString;
  const size_t element = s.strings ? 1 : dtype_size(op.in(0).spec.dtype);
  s.index_bytes = dtype_size(given.spec.dtype);
  if (op.out(0).spec.shape.count() == 0) return {};
  s.place = Coordinates(x, index[index.rank() - 1], element);
  s.rows = index.count(0, index.rank() - 1);
  s.inner = static_cast<size_t>(x.count(s.place.depth, x.rank())) * element;
  const Indices known(given.data.data(), s.index_bytes);
  for (int64_t i = 0; given.constant && i < s.rows; ++i) {
    if (s.place.offset(known, i) < 0) return invalid_model(row_outside(i));
  }
  return {};
}

void eval_strings(const EvalContext& run) {
  const State& s = run.state<State>();
  const Indices index(run.in<uint8_t>(1), s.index_bytes);
  const Strings in(run.in<uint8_t>(0));
  const int64_t inner = static_cast<int64_t>(s.inner);
  for (int64_t i = 0; i < s.rows; ++i) {
    if (s.place.offset(index, i) < 0) return run.fail(invalid_argument(row_outside(i)));
  }
  write_strings(run, 0, s.rows * inner,
                [&](int64_t k) { return in[s.place.offset(index, k / inner) + k % inner]; });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.strings) return eval_strings(run);
  const Indices index(run.in<uint8_t>(1), s.index_bytes);
  uint8_t* out = run.out<uint8_t>(0);
  for (int64_t i = 0; i < s.rows; ++i, out += s.inner) {
    const int64_t at = s.place.offset(index, i);
    if (at < 0) return run.fail(invalid_argument(row_outside(i)));
    std::memcpy(out, run.in<uint8_t>(0) + at, s.inner);
  }
}

}  // namespace

extern const OpDef op_gather_nd{check, infer, prepare, eval};

}  // namespace edge
