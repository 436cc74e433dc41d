// CONV_2D: y[b][oy][ox][n] = act(bias[n] + sum x[b][oy*s + fy*d - p][...][k] * w[n][fy][fx][k]);
// NHWC, filter OHWI. Grouped where the filter has fewer input channels than the picture.
#include "ops/support/matrix.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<Conv2DAttributes>());
  EDGE_TRY(check_weighted(op, 0));
  const Quantization& q = op.in(1).spec.quant;
  if (op.in(0).spec.dtype == DType::kInt8 || op.in(0).spec.dtype == DType::kInt16) {
    for (int32_t z : q.zero_point) {
      if (z != 0) return invalid_model("its int8 weights have a zero point other than 0");
    }
  }
  return {};
}

Result<Picture> geometry(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const Shape& w = op.in(1).spec.shape;
  if (x.rank() != 4 || w.rank() != 4) {
    return invalid_model(format("input %s and filter %s must have 4 dimensions",
                                to_string(x).c_str(), to_string(w).c_str()));
  }
  if (w[3] < 1 || x[3] % w[3] != 0 || x[3] < 1 || w[0] % (x[3] / w[3]) != 0) {
    return invalid_model(
        format("%d input channels do not suit filter %s", x[3], to_string(w).c_str()));
  }
  return make_picture(op, op.attributes<Conv2DAttributes>());
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Picture p, geometry(op));
  (*shapes)[0] = {p.batches, p.h.out, p.w.out, op.in(1).spec.shape[0]};
  return {};
}

Status prepare(PrepareContext& op) {
  Matrix& m = op.make_state<Matrix>();
  EDGE_ASSIGN(m.windows.picture, geometry(op));
  const Shape& w = op.in(1).spec.shape;
  m.depth = static_cast<size_t>(w[3]);
  m.out_channels = static_cast<size_t>(w[0]);
  MatrixSpec spec;
  spec.activation = op.attributes<Conv2DAttributes>().activation;
  spec.bias_type = op.attributes<Conv2DAttributes>().quantized_bias_type;
  spec.groups = static_cast<size_t>(op.in(0).spec.shape[3]) / m.depth;
  spec.taps = m.windows.picture.taps();
  return prepare_matrix(op, spec, &m);
}

void eval(const EvalContext& run) { run_matrix(run, run.state<Matrix>()); }

int64_t macs(const OpView& op) {
  return op.out(0).spec.shape.count() * op.in(1).spec.shape.count(1, 4);
}

}  // namespace

extern const OpDef op_conv_2d{check,
                              infer,
                              prepare,
                              eval,
                              macs,
                              /*alias=*/false,
                              /*shape_only=*/false,
                              /*in_place=*/false,
                              run_matrix_rows};

}  // namespace edge
