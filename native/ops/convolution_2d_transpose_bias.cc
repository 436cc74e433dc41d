// Convolution2DTransposeBias of MediaPipe: a transposed convolution that chooses the output's shape
// itself; inputs are the picture NHWC, the filter OHWI and the bias.
#include <cstring>

#include "ops/support/transposed.h"

namespace edge {
namespace {

// The custom options, a C struct.
struct Options {
  int32_t padding;  // 1 SAME, 2 VALID
  int32_t stride_w, stride_h;
};

Result<Options> read_options(const Node& node) {
  Options o;
  if (node.custom_options.size() < sizeof o) return invalid_model("its custom options are cut off");
  std::memcpy(&o, node.custom_options.data(), sizeof o);
  if ((o.padding != 1 && o.padding != 2) || o.stride_w < 1 || o.stride_h < 1) {
    return invalid_model(format("its custom options have padding %d and strides %d and %d",
                                o.padding, o.stride_h, o.stride_w));
  }
  return o;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  for (size_t i = 0; i < 3; ++i) EDGE_TRY(op.expect_input(i, {DType::kFloat32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return read_options(op.node()).status();
}

Result<TransposedAxis> axis_of(int in, int filter, int stride, int32_t padding) {
  const int cut = padding == 1 ? std::max(0, filter - (in - 1) % stride - 1) : 0;
  const int64_t out = int64_t{stride} * (in - 1) + filter - cut;
  if (out < 1 || out > INT32_MAX) {
    return invalid_model(format("%d cells, %d apart, make no picture", in, stride));
  }
  return TransposedAxis{in, static_cast<int>(out), filter, stride, cut / 2};
}

struct Axes {
  TransposedAxis h, w;
};

Result<Axes> axes_of(const OpView& op) {
  EDGE_ASSIGN(const Options o, read_options(op.node()));
  const Shape &x = op.in(0).spec.shape, &w = op.in(1).spec.shape;
  if (x.rank() != 4 || w.rank() != 4 || x[3] != w[3] || x.count(1, 4) < 1 || w.count() < 1) {
    return invalid_model(format("input %s and filter %s do not suit each other",
                                to_string(x).c_str(), to_string(w).c_str()));
  }
  Axes axes;
  EDGE_ASSIGN(axes.h, axis_of(x[1], w[1], o.stride_h, o.padding));
  EDGE_ASSIGN(axes.w, axis_of(x[2], w[2], o.stride_w, o.padding));
  return axes;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Axes axes, axes_of(op));
  (*shapes)[0] = {op.in(0).spec.shape[0], axes.h.out, axes.w.out, op.in(1).spec.shape[0]};
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const Axes axes, axes_of(op));
  return prepare_transposed(op, axes.h, axes.w, {}, &op.make_state<Transposed>());
}

void eval(const EvalContext& run) { eval_transposed(run, 0); }

int64_t macs(const OpView& op) { return transposed_macs(op, {}); }

}  // namespace

extern const OpDef op_convolution_2d_transpose_bias{check, infer, prepare, eval, macs};

}  // namespace edge
