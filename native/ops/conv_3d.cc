// CONV_3D: the convolution of volumes [batch, depth, height, width, channels] with a filter
// [depth, height, width, in, out]. float32.
#include "ops/support/volume.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<Conv3DAttributes>());
  return check_volume(op, 0, 1, 2);
}

Result<std::array<WindowAxis, 3>> windows(const OpView& op) {
  const Shape &x = op.in(0).spec.shape, &w = op.in(1).spec.shape;
  if (x.rank() != 5 || w.rank() != 5 || x[4] != w[3] || x[4] < 1 || w[4] < 1) {
    return invalid_model(format("input %s and filter %s do not suit each other",
                                to_string(x).c_str(), to_string(w).c_str()));
  }
  const auto& a = op.attributes<Conv3DAttributes>();
  std::array<WindowAxis, 3> axes;
  EDGE_ASSIGN(axes[0], make_window(x[1], w[0], a.stride_d, a.dilation_d, a.padding, 0, 0));
  EDGE_ASSIGN(axes[1], make_window(x[2], w[1], a.stride_h, a.dilation_h, a.padding, 0, 0));
  EDGE_ASSIGN(axes[2], make_window(x[3], w[2], a.stride_w, a.dilation_w, a.padding, 0, 0));
  return axes;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const auto axes, windows(op));
  const Shape &x = op.in(0).spec.shape, &w = op.in(1).spec.shape;
  (*shapes)[0] = {x[0], axes[0].out, axes[1].out, axes[2].out, w[4]};
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const auto axes, windows(op));
  VolumeSpec spec;
  spec.activation = op.attributes<Conv3DAttributes>().activation;
  for (size_t i = 0; i < 3; ++i) spec.axes[i] = plain_phases(axes[i]);
  return prepare_volume(op, spec, &op.make_state<Volume>());
}

void eval(const EvalContext& run) { run_volume(run, run.state<Volume>(), 0); }

int64_t macs(const OpView& op) {
  return op.out(0).spec.shape.count() * op.in(1).spec.shape.count(0, 4);
}

}  // namespace

extern const OpDef op_conv_3d{check, infer, prepare, eval, macs};

}  // namespace edge
