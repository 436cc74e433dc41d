// TRANSPOSE_CONV: inputs are the output's shape, the filter OHWI, the picture NHWC and maybe a
// bias.
#include <algorithm>

#include "ops/support/transposed.h"

namespace edge {
namespace {

constexpr Operands kOperands{2, 1, 3};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<TransposeConvAttributes>());
  EDGE_TRY(check_weighted(op, 0, kOperands));
  if (op.in(1).spec.dtype == DType::kInt4) return unsupported("weights of 4 bits");
  return op.expect_input(0, {DType::kInt32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  std::vector<int64_t> extents;
  const Shape& said = op.out(0).spec.shape;
  if (op.in(0).constant || !said.known()) {
    EDGE_ASSIGN(extents, op.constant_integers(0));
  } else {  // known only while running: the file's own shape must do
    extents.assign(said.begin(), said.end());
  }
  const Shape &x = op.in(2).spec.shape, &w = op.in(1).spec.shape;
  const bool fits = x.rank() == 4 && w.rank() == 4 && x[3] == w[3] && x.count(1, 4) > 0 &&
                    w.count() > 0 && extents.size() == 4 && extents[0] == x[0] && extents[1] > 0 &&
                    extents[2] > 0 && extents[3] == w[0];
  if (!fits) {
    return invalid_model(format("input %s, filter %s and %zu extents do not suit each other",
                                to_string(x).c_str(), to_string(w).c_str(), extents.size()));
  }
  for (int64_t extent : extents) (*shapes)[0].push_back(static_cast<int32_t>(extent));
  return {};
}

// The convolution that this is the transpose of leads from the output to the input.
Result<TransposedAxis> axis_of(int in, int out, int filter, int stride, Padding padding) {
  EDGE_ASSIGN(const WindowAxis window, make_window(out, filter, stride, 1, padding, 0, 0));
  if (window.out == in) return TransposedAxis{in, out, filter, stride, window.before};
  return invalid_model(format("windows of %d cells, %d apart, lead from %d cells to %d, not to %d",
                              filter, stride, out, window.out, in));
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<TransposeConvAttributes>();
  const Shape &x = op.in(2).spec.shape, &w = op.in(1).spec.shape, &y = op.out(0).spec.shape;
  EDGE_ASSIGN(const TransposedAxis h, axis_of(x[1], y[1], w[1], a.stride_h, a.padding));
  EDGE_ASSIGN(const TransposedAxis v, axis_of(x[2], y[2], w[2], a.stride_w, a.padding));
  MatrixSpec spec;
  spec.operands = kOperands;
  spec.activation = a.activation;
  spec.bias_type = a.quantized_bias_type;
  spec.symmetric_weights = op.in(1).spec.dtype != DType::kUInt8;
  Transposed& state = op.make_state<Transposed>();
  state.shape_given = !op.in(0).constant;
  state.shape = y;
  if (op.in(0).spec.shape.count() != 4) return invalid_model("its output's shape is not of 4 axes");
  return prepare_transposed(op, h, v, spec, &state);
}

void eval(const EvalContext& run) {
  const Transposed& state = run.state<Transposed>();
  if (state.shape_given &&
      !std::equal(state.shape.begin(), state.shape.end(), run.in<int32_t>(0))) {
    Shape given;
    for (int i = 0; i < 4; ++i) given.push_back(run.in<int32_t>(0)[i]);
    return run.fail(
        invalid_argument(format("an output of %s was asked for, the model has %s",
                                to_string(given).c_str(), to_string(state.shape).c_str())));
  }
  eval_transposed(run, kOperands.x);
}

int64_t macs(const OpView& op) { return transposed_macs(op, kOperands); }

}  // namespace

extern const OpDef op_transpose_conv{check, infer, prepare, eval, macs};

}  // namespace edge
