// MATRIX_DIAG: square matrices of zeros with the input's rows on their diagonals.
#include <cstring>

#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  size_t bytes = 0;
  StridedCopy copy;
};

Status check(const OpView& op) { return check_movement(op, 1); }

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() < 1) return invalid_model("its input is a scalar");
  (*shapes)[0] = x;
  return append_extent(x[x.rank() - 1], &(*shapes)[0]);
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.bytes, byte_size(y.dtype, y.shape));
  if (s.bytes == 0) return {};
  const int64_t element = static_cast<int64_t>(dtype_size(x.dtype));
  const int64_t n = x.shape[x.shape.rank() - 1];
  StridedCopy copy(dtype_size(x.dtype));
  copy.add({x.shape.count() / n, n * element, n * n * element});
  copy.add({n, element, (n + 1) * element});
  s.copy = copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.bytes == 0) return;
  std::memset(run.out<uint8_t>(0), 0, s.bytes);
  s.copy.run(run.in<uint8_t>(0), run.out<uint8_t>(0));
}

}  // namespace

extern const OpDef op_matrix_diag{check, infer, prepare, eval};

}  // namespace edge
