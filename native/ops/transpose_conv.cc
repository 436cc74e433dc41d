// TRANSPOSE_CONV: inputs are the output's shape, the filter OHWI, the picture NHWC and maybe a
// bias.
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
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(0));
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
  return prepare_transposed(op, h, v, spec, &state);
}

void eval(const EvalContext& run) { eval_transposed(run, kOperands.x); }

int64_t macs(const OpView& op) { return transposed_macs(op, kOperands); }

}  // namespace

extern const OpDef op_transpose_conv{check, infer, prepare, eval, macs};

}  // namespace edge
