// LOCAL_RESPONSE_NORMALIZATION: x * (bias + alpha * sum)^-beta, the sum of squares over the
// channels from c - radius up to before c + radius.
#include <algorithm>

#include "ops/support/unary.h"

namespace edge {
namespace {

struct State {
  int64_t rows = 0, channels = 0, radius = 0;
  float bias = 0, alpha = 0, beta = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<LocalResponseNormAttributes>());
  return check_unary(op, {DType::kFloat32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 4) {
    return invalid_model(format("input %s must have 4 dimensions", to_string(x).c_str()));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<LocalResponseNormAttributes>();
  const Shape& x = op.in(0).spec.shape;
  State& s = op.make_state<State>();
  s.channels = x[3];
  s.rows = s.channels ? x.count() / s.channels : 0;
  s.radius = a.radius;
  s.bias = a.bias;
  s.alpha = a.alpha;
  s.beta = a.beta;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  run.pool().run(static_cast<size_t>(s.rows), [&](size_t row, int) {
    const float* x = run.in<float>(0) + static_cast<int64_t>(row) * s.channels;
    float* y = run.out<float>(0) + static_cast<int64_t>(row) * s.channels;
    for (int64_t c = 0; c < s.channels; ++c) {
      float sum = 0;
      const int64_t end = std::min(s.channels, c + s.radius);
      for (int64_t i = std::max(int64_t{0}, c - s.radius); i < end; ++i) sum += x[i] * x[i];
      y[c] = x[c] * std::pow(s.bias + s.alpha * sum, -s.beta);
    }
  });
}

}  // namespace

extern const OpDef op_local_response_normalization{check, infer, prepare, eval};

}  // namespace edge
