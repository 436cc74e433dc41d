// FULLY_CONNECTED: y[b][n] = act(bias[n] + sum_k x[b][k] * w[n][k]).
// 8-bit results are rounded as double(acc) * scale, unlike those of convolutions.
#include "ops/support/matrix.h"
#include "ops/support/short_product.h"

namespace edge {
namespace {

struct State {
  Matrix matrix;
  ShortProduct shorts;  // in its place where the weights are int16
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<FullyConnectedAttributes>());
  EDGE_TRY(check_weighted(op, 0));
  if (op.attributes<FullyConnectedAttributes>().weights_format != 0)
    return unsupported("shuffled weights");
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  const Shape& w = op.in(1).spec.shape;
  if (w.rank() != 2 || w[1] < 1 || x.rank() < 1) {
    return invalid_model(format("weights %s must have 2 dimensions and input %s at least 1",
                                to_string(w).c_str(), to_string(x).c_str()));
  }
  if (x.count() % w[1] != 0) {
    return invalid_model(
        format("input %s does not divide into rows of %d", to_string(x).c_str(), w[1]));
  }
  if (op.attributes<FullyConnectedAttributes>().keep_num_dims) {
    if (x[x.rank() - 1] != w[1]) {
      return invalid_model(format("input %s does not end in %d", to_string(x).c_str(), w[1]));
    }
    (*shapes)[0] = x;
    (*shapes)[0][x.rank() - 1] = w[0];
  } else {
    (*shapes)[0] = {static_cast<int32_t>(x.count() / w[1]), w[0]};
  }
  return {};
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  Matrix& m = state.matrix;
  const Shape& w = op.in(1).spec.shape;
  m.depth = static_cast<size_t>(w[1]);
  m.out_channels = static_cast<size_t>(w[0]);
  Picture& p = m.windows.picture;
  p.batches = static_cast<int>(op.in(0).spec.shape.count() / w[1]);
  p.h = p.w = {1, 1, 1, 1, 1, 0};
  p.cell_bytes = m.depth * dtype_size(op.in(0).spec.dtype);
  MatrixSpec spec;
  spec.rule = requantize::Rule::kReal;
  spec.activation = op.attributes<FullyConnectedAttributes>().activation;
  spec.convolution = false;
  spec.asymmetric = op.attributes<FullyConnectedAttributes>().asymmetric_quantize_inputs;
  spec.bias_type = op.attributes<FullyConnectedAttributes>().quantized_bias_type;
  if (!has_short_weights(op)) return prepare_matrix(op, spec, &m);
  state.shorts.rows = static_cast<size_t>(p.batches);
  state.shorts.depth = m.depth;
  state.shorts.cols = m.out_channels;
  return prepare_short_product(op, spec, &state.shorts);
}

void eval(const EvalContext& run) {
  const State& state = run.state<State>();
  return state.shorts.weights ? run_short_product(run, state.shorts)
                              : run_matrix(run, state.matrix);
}

int64_t macs(const OpView& op) {
  const Shape& w = op.in(1).spec.shape;
  return w.rank() == 2 ? op.in(0).spec.shape.count() * w[0] : 0;
}

}  // namespace

extern const OpDef op_fully_connected{check, infer, prepare, eval, macs};

}  // namespace edge
