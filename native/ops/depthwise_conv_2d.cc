// DEPTHWISE_CONV_2D: y[b][oy][ox][c] = act(bias[c] + sum x[b][oy*s + fy*d - p][...][c / m] *
// w[fy][fx][c]); NHWC.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/cpu.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise_f32/depthwise_f32.h"
#include "ops/support/matrix.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

struct State {
  Picture picture;
  bool is_float = false;
  size_t out_channels = 0, step = 0, scratch = 0;
  Arena packed;
  std::vector<int32_t> multiplier, exponent;
  std::vector<float> bias;  // float
  depthwise::Layer layer{};
  const depthwise_f32::Kernel* kernel_f32 = nullptr;
  depthwise_f32::Shape shape_f32{};
  FloatRange range{};
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<DepthwiseConv2DAttributes>());
  return check_weighted(op, 3);
}

Result<Picture> geometry(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const Shape& w = op.in(1).spec.shape;
  if (x.rank() != 4 || w.rank() != 4 || w[0] != 1) {
    return invalid_model(format("input %s must have 4 dimensions and filter %s be [1,h,w,c]",
                                to_string(x).c_str(), to_string(w).c_str()));
  }
  if (x[3] < 1 || w[3] < 1 || w[3] % x[3] != 0) {
    return invalid_model(
        format("%d input channels do not divide filter %s", x[3], to_string(w).c_str()));
  }
  return make_picture(op, op.attributes<DepthwiseConv2DAttributes>());
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Picture p, geometry(op));
  (*shapes)[0] = {p.batches, p.h.out, p.w.out, op.in(1).spec.shape[3]};
  return {};
}

// Taps are numbered column by column, so that windows which overlap share their pointers.
std::vector<uint8_t> by_column(const Picture& p, const uint8_t* rows, size_t tap_bytes) {
  std::vector<uint8_t> out(p.taps() * tap_bytes);
  const size_t height = static_cast<size_t>(p.h.filter), width = static_cast<size_t>(p.w.filter);
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      std::memcpy(&out[(x * height + y) * tap_bytes], rows + (y * width + x) * tap_bytes,
                  tap_bytes);
    }
  }
  return out;
}

Status prepare_integer(PrepareContext& op, const std::vector<uint8_t>& weights, size_t multiplier,
                       State* s) {
  Features features;
  EDGE_TRY(active_features(&features));
  const Value& x = op.in(0);
  const Value& w = op.in(1);
  const TensorSpec& y = op.out(0).spec;
  const bool is_unsigned = x.spec.dtype == DType::kUInt8;
  EDGE_ASSIGN(const Range range,
              activation_range(op.attributes<DepthwiseConv2DAttributes>().activation, y));
  const depthwise::Kernel& kernel = depthwise::select(features, multiplier);
  const depthwise::Shape shape{s->out_channels, multiplier, s->picture.taps()};
  s->packed = Arena(depthwise::packed_bytes(kernel, shape));
  if (!s->packed.data()) return Status(Code::kResource, "no memory for packed weights");
  const std::unique_ptr<bool[]> negate = negative_scales(op, s->out_channels);
  // TFLite's int8 kernel does not look at the weights' zero point.
  depthwise::pack(
      kernel,
      {shape, weights.data(), is_unsigned, is_unsigned ? w.spec.zero_point() : 0,
       x.spec.zero_point(),
       op.has_input(2) ? reinterpret_cast<const int32_t*>(op.in(2).data.data()) : nullptr,
       negate.get()},
      s->packed.data());
  for (size_t c = 0; c < s->out_channels; ++c) {
    const requantize::Multiplier q =
        requantize::quantize_multiplier(std::abs(output_scale(op, c, is_unsigned)));
    if (q.e > 31) return invalid_model("its scales give a multiplier above 2^31");
    s->multiplier.push_back(q.m);
    s->exponent.push_back(q.e);
  }
  requantize::Params params;
  params.multiplier = s->multiplier.data();
  params.exponent = s->exponent.data();
  params.zero_point = y.zero_point();
  params.min = range.low;
  params.max = range.high;
  s->layer = {&kernel,
              shape,
              is_unsigned,
              s->packed.data(),
              &requantize::select(features, requantize::Rule::kDoubleRounding),
              params};
  s->scratch = align_up(depthwise::scratch_bytes(s->layer));
  s->picture.fill(s->picture.cell_bytes, static_cast<uint8_t>(x.spec.zero_point()));
  op.kernel = kernel.name;
  return {};
}

Status prepare_float(PrepareContext& op, const std::vector<uint8_t>& weights, size_t multiplier,
                     State* s) {
  Features features;
  EDGE_TRY(active_features(&features));
  EDGE_ASSIGN(s->range, activation_range(op.attributes<DepthwiseConv2DAttributes>().activation));
  s->is_float = true;
  s->kernel_f32 = &depthwise_f32::select(features, multiplier);
  s->shape_f32 = {s->out_channels, multiplier, s->picture.taps()};
  s->packed = Arena(weights.size());
  if (!s->packed.data()) return Status(Code::kResource, "no memory for packed weights");
  std::memcpy(s->packed.data(), weights.data(), weights.size());
  s->bias.assign(s->out_channels, 0.f);
  if (op.has_input(2))
    std::memcpy(s->bias.data(), op.in(2).data.data(), s->out_channels * sizeof(float));
  s->picture.fill(s->picture.cell_bytes, 0);
  op.kernel = s->kernel_f32->name;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.picture, geometry(op));
  Picture& p = s.picture;
  const Value& w = op.in(1);
  if (!w.constant || (op.has_input(2) && !op.in(2).constant)) {
    return unsupported("its weights or biases are known only while running");
  }
  s.out_channels = static_cast<size_t>(w.spec.shape[3]);
  if (op.has_input(2) && op.in(2).spec.shape.count() != w.spec.shape[3]) {
    return invalid_model(format("it has %lld biases for %d channels",
                                static_cast<long long>(op.in(2).spec.shape.count()),
                                w.spec.shape[3]));
  }
  const size_t multiplier = s.out_channels / static_cast<size_t>(op.in(0).spec.shape[3]);
  const std::vector<uint8_t> weights =
      by_column(p, w.data.data(), s.out_channels * dtype_size(w.spec.dtype));
  const size_t height = static_cast<size_t>(p.h.filter);
  // Where windows overlap cell by cell, neighbours share pointers; dilated ones each have their
  // own.
  s.step = p.w.dilation == 1 ? height * static_cast<size_t>(p.w.stride) : p.taps();
  EDGE_TRY(op.in(0).spec.dtype == DType::kFloat32 ? prepare_float(op, weights, multiplier, &s)
                                                  : prepare_integer(op, weights, multiplier, &s));
  op.packed_bytes = s.packed.size();
  const size_t pixels = static_cast<size_t>(std::max(p.w.out, 1));
  op.scratch_per_worker = s.scratch + ((pixels - 1) * s.step + p.taps()) * sizeof(void*);
  return {};
}

// The pointers of one output row: x[ox * step + fx * height + fy].
void gather_row(const State& s, const uint8_t* data, int b, int oy, const uint8_t** x) {
  const Picture& p = s.picture;
  const int64_t top = int64_t{oy} * p.h.stride - p.h.before;
  auto column = [&](int64_t ix, const uint8_t** out) {
    for (int fy = 0; fy < p.h.filter; ++fy)
      out[fy] = p.cell(data, b, top + int64_t{fy} * p.h.dilation, ix);
  };
  if (p.w.dilation == 1) {
    const int64_t columns = int64_t{p.w.out - 1} * p.w.stride + p.w.filter;
    for (int64_t i = 0; i < columns; ++i) column(i - p.w.before, x + i * p.h.filter);
    return;
  }
  for (int ox = 0; ox < p.w.out; ++ox) {
    const int64_t left = int64_t{ox} * p.w.stride - p.w.before;
    for (int fx = 0; fx < p.w.filter; ++fx) {
      column(left + int64_t{fx} * p.w.dilation,
             x + static_cast<size_t>(ox) * s.step + size_t(fx) * size_t(p.h.filter));
    }
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const Picture& p = s.picture;
  const size_t width = static_cast<size_t>(p.w.out), height = static_cast<size_t>(p.h.out);
  const size_t rows = static_cast<size_t>(p.batches) * height;
  if (p.out_pixels() == 0) return;
  const size_t row_macs = std::max<size_t>(width * s.out_channels * p.taps(), 1);
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const Chunks chunks =
      cut(rows, ((1 << 15) + row_macs - 1) / row_macs, threads == 1 ? 1 : 4 * threads);
  run.pool().run(chunks.count, [&](size_t chunk, int worker) {
    uint8_t* scratch = run.scratch(worker);
    const uint8_t** x = reinterpret_cast<const uint8_t**>(scratch + s.scratch);
    for (size_t r = chunk * chunks.size; r < std::min(rows, (chunk + 1) * chunks.size); ++r) {
      gather_row(s, run.in<uint8_t>(0), static_cast<int>(r / height), static_cast<int>(r % height),
                 x);
      const size_t first = r * width * s.out_channels;
      if (s.is_float) {
        s.kernel_f32->run({width, s.shape_f32, reinterpret_cast<const float* const*>(x), s.step,
                           s.bias.data(), reinterpret_cast<const float*>(s.packed.data()),
                           run.out<float>(0) + first, s.range.low, s.range.high});
      } else {
        depthwise::run(s.layer, reinterpret_cast<const void* const*>(x), s.step, width,
                       run.out<uint8_t>(0) + first, scratch);
      }
    }
  });
}

int64_t macs(const OpView& op) {
  const Shape& w = op.in(1).spec.shape;
  return op.out(0).spec.shape.count() * w[1] * w[2];
}

}  // namespace

extern const OpDef op_depthwise_conv_2d{check, infer, prepare, eval, macs};

}  // namespace edge
