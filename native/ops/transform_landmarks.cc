// CUSTOM:TransformLandmarks, version 2: landmarks [1, n, 2 or 3] moved by a matrix in x and y;
// their z stays.
#include "ops/support/transform.h"

namespace edge {
namespace {

struct State {
  int64_t count = 0, size = 0;
};

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_TRY(expect_matrix(op));
  if (x.rank() != 3 || x[0] != 1 || x[2] < 2 || x[2] > 3) {
    return invalid_model(format("landmarks %s, wanted [1,n,2] or [1,n,3]", to_string(x).c_str()));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  const Shape& x = op.in(0).spec.shape;
  op.make_state<State>() = {x[1], x[2]};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float *in = run.in<float>(0), *matrix = run.in<float>(1);
  float* out = run.out<float>(0);
  for (int64_t i = 0; i < s.count; ++i, in += s.size, out += s.size) {
    out[0] = transformed(matrix, in[0], in[1]);
    out[1] = transformed(matrix + 4, in[0], in[1]);
    if (s.size == 3) out[2] = in[2];
  }
}

}  // namespace

extern const OpDef op_transform_landmarks{check_transform, infer, prepare, eval};

}  // namespace edge
