#include "ops/support/convert.h"

#include "ops/support/parallel.h"
#include "ops/support/quantize.h"

namespace edge {

Status check_codes(const TensorSpec& codes) {
  EDGE_TRY(check_scales(codes.quant, format("tensor '%.100s'", codes.name.c_str()).c_str()));
  const Range range = type_range(codes.dtype);
  for (int32_t z : codes.quant.zero_point) {
    if (z < range.low || z > range.high) {
      return invalid_model(format("tensor '%.100s' has zero point %d outside of %s",
                                  codes.name.c_str(), z, dtype_name(codes.dtype)));
    }
  }
  return {};
}

Status prepare_conversion(PrepareContext& op, const TensorSpec& codes, const Converts& kernels,
                          Conversion* state) {
  const Shape& shape = op.out(0).spec.shape;
  state->inner = static_cast<size_t>(shape.count());
  state->scale = codes.quant.scale;
  state->zero_point = codes.quant.zero_point;
  if (codes.quant.per_channel()) {
    const int axis = codes.quant.dimension;
    if (axis >= shape.rank() || static_cast<size_t>(shape[axis]) != codes.quant.scale.size()) {
      return invalid_argument(format("tensor '%.100s' has %zu scales along dimension %d of %s",
                                     codes.name.c_str(), codes.quant.scale.size(), axis,
                                     to_string(shape).c_str()));
    }
    state->outer = static_cast<size_t>(shape.count(0, axis));
    state->channels = codes.quant.scale.size();
    state->inner = static_cast<size_t>(shape.count(axis + 1, shape.rank()));
  }
  Features features;
  EDGE_TRY(active_features(&features));
  const elementwise::Convert kernel = codes.dtype == DType::kInt8    ? kernels.i8
                                      : codes.dtype == DType::kUInt8 ? kernels.u8
                                                                     : kernels.i16;
  state->kernel = &elementwise::select(features, kernel);
  op.kernel = state->kernel->name;
  return {};
}

void eval_conversion(const EvalContext& run, const Conversion& state, const uint8_t* x) {
  uint8_t* y = run.out<uint8_t>(0);
  auto convert = [&](size_t begin, size_t n, size_t channel) {
    state.kernel->run({n, x + begin * state.in_size, y + begin * state.out_size,
                       state.scale[channel], state.zero_point[channel]});
  };
  if (state.channels == 1) {
    for_chunks(run.pool(), state.inner,
               [&](size_t begin, size_t end) { convert(begin, end - begin, 0); });
    return;
  }
  for (size_t row = 0; row < state.outer * state.channels; ++row) {
    convert(row * state.inner, state.inner, row % state.channels);
  }
}

}  // namespace edge
