// CONV_3D_TRANSPOSE: inputs are the output's shape, the filter [depth, height, width, out, in], the
// volume [batch, depth, height, width, in] and maybe a bias. float32.
#include <algorithm>

#include "ops/support/volume.h"

namespace edge {
namespace {

enum Input : size_t { kShape, kFilter, kX, kBias };

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<Conv3DAttributes>());
  EDGE_TRY(check_volume(op, kX, kFilter, kBias));
  return op.expect_input(kShape, {DType::kInt32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(kShape));
  const Shape &x = op.in(kX).spec.shape, &w = op.in(kFilter).spec.shape;
  bool fits = x.rank() == 5 && w.rank() == 5 && x[4] == w[4] && extents.size() == 5 &&
              op.in(kShape).spec.shape == Shape{5};
  fits = fits && extents[0] == x[0] && extents[4] == w[3] && x.count(1, 5) > 0 && w.count() > 0 &&
         *std::min_element(extents.begin() + 1, extents.end()) > 0;
  if (!fits) {
    return invalid_model(format("input %s, filter %s and %zu extents do not suit each other",
                                to_string(x).c_str(), to_string(w).c_str(), extents.size()));
  }
  for (int64_t extent : extents) (*shapes)[0].push_back(static_cast<int32_t>(extent));
  return {};
}

// The convolution that this is the transpose of leads from the output to the input.
Result<std::vector<PhaseAxis>> phases_of(int in, int out, int filter, int stride, int dilation,
                                         Padding padding) {
  EDGE_ASSIGN(const WindowAxis window, make_window(out, filter, stride, dilation, padding, 0, 0));
  if (window.out != in) {
    return invalid_model(
        format("windows of %d cells, %d apart, lead from %d cells to %d, not to "
               "%d",
               filter, stride, out, window.out, in));
  }
  if (stride > 4096) return unsupported(format("a stride of %d", stride));
  return transposed_phases(window);
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<Conv3DAttributes>();
  const Shape &x = op.in(kX).spec.shape, &w = op.in(kFilter).spec.shape;
  const Shape& y = op.out(0).spec.shape;
  VolumeSpec spec;
  spec.x = kX;
  spec.w = kFilter;
  spec.bias = kBias;
  spec.outputs_last = false;
  spec.activation = a.activation;
  EDGE_ASSIGN(spec.axes[0], phases_of(x[1], y[1], w[0], a.stride_d, a.dilation_d, a.padding));
  EDGE_ASSIGN(spec.axes[1], phases_of(x[2], y[2], w[1], a.stride_h, a.dilation_h, a.padding));
  EDGE_ASSIGN(spec.axes[2], phases_of(x[3], y[3], w[2], a.stride_w, a.dilation_w, a.padding));
  Volume& v = op.make_state<Volume>();
  return prepare_volume(op, spec, &v);
}

void eval(const EvalContext& run) { run_volume(run, run.state<Volume>(), kX); }

int64_t macs(const OpView& op) {
  return op.in(kX).spec.shape.count() * op.in(kFilter).spec.shape.count(0, 4);
}

}  // namespace

extern const OpDef op_conv_3d_transpose{check, infer, prepare, eval, macs};

}  // namespace edge
