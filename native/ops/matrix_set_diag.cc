// MATRIX_SET_DIAG: the matrices of input 0 with the rows of input 1 on their diagonals.
#include <algorithm>
#include <cstring>

#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  size_t bytes = 0;
  StridedCopy copy;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &diagonal = op.in(1).spec.shape;
  Shape wanted;
  for (int i = 0; i + 2 < x.rank(); ++i) wanted.push_back(x[i]);
  if (x.rank() >= 2) wanted.push_back(std::min(x[x.rank() - 2], x[x.rank() - 1]));
  if (x.rank() < 2 || diagonal != wanted) {
    return invalid_model(
        format("diagonals %s of %s", to_string(diagonal).c_str(), to_string(x).c_str()));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  const Shape& diagonal = op.in(1).spec.shape;
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.bytes, byte_size(x.dtype, x.shape));
  if (s.bytes == 0) return {};
  const int64_t element = static_cast<int64_t>(dtype_size(x.dtype));
  const int64_t rows = x.shape[x.shape.rank() - 2], columns = x.shape[x.shape.rank() - 1];
  const int64_t n = std::min(rows, columns);
  StridedCopy copy(dtype_size(x.dtype));
  copy.add({diagonal.count() / n, n * element, rows * columns * element});
  copy.add({n, element, (columns + 1) * element});
  s.copy = copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.bytes == 0) return;
  std::memmove(run.out<uint8_t>(0), run.in<uint8_t>(0), s.bytes);
  s.copy.run(run.in<uint8_t>(1), run.out<uint8_t>(0));
}

}  // namespace

extern const OpDef op_matrix_set_diag{check, infer, prepare, eval};

}  // namespace edge
