// DEPTHWISE_CONV_2D: y[b][oy][ox][c] = act(bias[c] + sum x[b][oy*s + fy*d - p][...][c / m] *
// w[fy][fx][c]); NHWC.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/cpu.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise_f32/depthwise_f32.h"
#include "ops/support/depthwise_codes.h"
#include "ops/support/int4.h"
#include "ops/support/matrix.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

struct State {
  Picture picture;
  bool is_float = false;
  size_t element = 1;  // bytes
  size_t out_channels = 0, scratch = 0;
  // Windows share columns of pointers; where cells lie apart, kernels that know of no dilation get
  // columns of each window's own.
  bool shared_columns = true;
  size_t columns = 0, column_rows = 0, rows_at_once = 1;
  Arena packed;
  std::vector<int32_t> multiplier, exponent;
  std::vector<double> scale;       // int16
  std::vector<int64_t> bias_wide;  // int16
  // int16 with sums that do not fit 32 bits: rare, and without a kernel.
  bool deep = false;
  std::vector<uint8_t> deep_weights;
  requantize::Rule rule{};
  std::vector<float> bias;  // float
  depthwise::Layer layer{};
  const depthwise_f32::Kernel* kernel_f32 = nullptr;
  depthwise_f32::Shape shape_f32{};
  FloatRange range{};
  std::unique_ptr<DepthwiseCodes> hybrid;  // float input, 8-bit weights
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

// The window column by column.
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

// Whether sums of int16 stay within 32 bits, and results as well.
bool sums_fit(const State& s, const std::vector<uint8_t>& weights) {
  for (size_t c = 0; c < s.out_channels; ++c) {
    double most = std::abs(static_cast<double>(s.bias_wide[c]));
    for (size_t i = c; i < weights.size(); i += s.out_channels) {
      most += std::abs(static_cast<int8_t>(weights[i])) * 0x1p15;
    }
    if (!(most < 0x1p31 && most * std::abs(s.scale[c]) < 0x1p30)) return false;
  }
  return true;
}

Status prepare_integer(PrepareContext& op, const std::vector<uint8_t>& weights, size_t multiplier,
                       State* s) {
  Features features;
  EDGE_TRY(active_features(&features));
  const Value& x = op.in(0);
  const Value& w = op.in(1);
  const TensorSpec& y = op.out(0).spec;
  const bool is_unsigned = x.spec.dtype == DType::kUInt8, wide = x.spec.dtype == DType::kInt16;
  EDGE_ASSIGN(const Range range,
              activation_range(op.attributes<DepthwiseConv2DAttributes>().activation, y));
  const Picture& p = s->picture;
  depthwise::Shape shape{s->out_channels, multiplier, static_cast<size_t>(p.h.filter),
                         static_cast<size_t>(p.w.filter)};
  shape.wide = wide;
  const depthwise::Kernel& kernel =
      op.choose(depthwise::select(features, shape), depthwise::kernels, features,
                [&](const depthwise::Kernel& k) { return depthwise::suits(k, shape); });
  s->shared_columns = kernel.layout != depthwise::Layout::kTaps || p.w.dilation == 1;
  shape.stride = s->shared_columns ? static_cast<size_t>(p.w.stride) : shape.width;
  shape.dilation = s->shared_columns ? static_cast<size_t>(p.w.dilation) : 1;
  shape.row_step = p.h.dilation == 1 ? static_cast<size_t>(p.h.stride) : 0;
  s->rows_at_once = depthwise::rows_at_once(kernel.layout, shape);
  s->column_rows = depthwise::column_rows(kernel.layout, shape);
  requantize::Params params;
  requantize::Rule rule = requantize::Rule::kDoubleRounding;
  const int32_t* bias =
      op.has_input(2) ? reinterpret_cast<const int32_t*>(op.in(2).data.data()) : nullptr;
  std::vector<int32_t> narrow_bias;
  if (wide) {
    const WideRule wide_rule = edge::wide_rule(op, {}, s->out_channels);
    rule = wide_rule.rule;
    s->bias_wide = wide_rule.bias;
    for (size_t c = 0; c < s->out_channels; ++c) {
      EDGE_TRY(append_multiplier(op, wide_rule, {}, c, &s->multiplier, &s->exponent, &s->scale));
      narrow_bias.push_back(static_cast<int32_t>(s->bias_wide[c]));
    }
    params.scale = s->scale.data();
    bias = narrow_bias.data();
    s->deep = !wide_rule.wraps && !sums_fit(*s, weights);
    s->rule = rule;
    if (s->deep) s->deep_weights = weights;
  }
  for (size_t c = 0; c < s->out_channels && !wide; ++c) {
    const requantize::Multiplier q =
        requantize::quantize_multiplier(std::abs(output_scale(op, c, is_unsigned)));
    if (q.e > 31) return invalid_model("its scales give a multiplier above 2^31");
    s->multiplier.push_back(q.m);
    s->exponent.push_back(q.e);
  }
  params.multiplier = s->multiplier.data();
  params.exponent = s->exponent.data();
  params.zero_point = y.zero_point();
  params.min = range.low;
  params.max = range.high;
  s->layer = {&kernel, shape, is_unsigned, nullptr, &requantize::select(features, rule), params};
  s->packed = Arena(depthwise::packed_bytes(s->layer));
  if (!s->packed.data()) return Status(Code::kResource, "no memory for packed weights");
  const std::unique_ptr<bool[]> negate = wide ? nullptr : negative_scales(op, s->out_channels);
  // TFLite's int8 kernel does not look at the weights' zero point.
  depthwise::pack({weights.data(), is_unsigned, is_unsigned ? w.spec.zero_point() : 0,
                   x.spec.zero_point(), bias, negate.get()},
                  &s->layer, s->packed.data());
  s->scratch = align_up(depthwise::scratch_bytes(s->layer));
  s->picture.fill(s->picture.cell_bytes, static_cast<uint8_t>(x.spec.zero_point()));
  return {};
}

Status prepare_float(PrepareContext& op, const std::vector<uint8_t>& weights, size_t multiplier,
                     State* s) {
  Features features;
  EDGE_TRY(active_features(&features));
  EDGE_ASSIGN(s->range, activation_range(op.attributes<DepthwiseConv2DAttributes>().activation));
  s->is_float = true;
  s->shared_columns = s->picture.w.dilation == 1;
  s->column_rows = static_cast<size_t>(s->picture.h.filter);
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
  EDGE_TRY(op.expect_known(1));
  if (op.has_input(2)) EDGE_TRY(op.expect_known(2));
  s.out_channels = static_cast<size_t>(w.spec.shape[3]);
  if (op.has_input(2) && op.in(2).spec.shape.count() != w.spec.shape[3]) {
    return invalid_model(format("it has %lld biases for %d channels",
                                static_cast<long long>(op.in(2).spec.shape.count()),
                                w.spec.shape[3]));
  }
  s.element = dtype_size(op.in(0).spec.dtype);
  const size_t multiplier = s.out_channels / static_cast<size_t>(op.in(0).spec.shape[3]);
  if (is_hybrid(op)) {
    s.hybrid = std::make_unique<DepthwiseCodes>();
    return prepare_depthwise_codes(op, p, op.attributes<DepthwiseConv2DAttributes>().activation,
                                   s.hybrid.get());
  }
  const size_t weight_bytes = op.in(0).spec.dtype == DType::kFloat32 ? sizeof(float) : 1;
  std::vector<uint8_t> unpacked;
  const std::vector<uint8_t> weights =
      by_column(p, bytes_of_codes(w, &unpacked), s.out_channels * weight_bytes);
  EDGE_TRY(op.in(0).spec.dtype == DType::kFloat32 ? prepare_float(op, weights, multiplier, &s)
                                                  : prepare_integer(op, weights, multiplier, &s));
  op.packed_bytes = s.packed.size();
  op.rows = {p.h, static_cast<size_t>(p.w.out), s.rows_at_once * static_cast<size_t>(p.w.out)};
  const size_t pixels = static_cast<size_t>(std::max(p.w.out, 1));
  const Bytes columns = s.shared_columns
                            ? Bytes(pixels - 1) * static_cast<size_t>(p.w.stride) +
                                  static_cast<size_t>((p.w.filter - 1) * p.w.dilation) + 1
                            : Bytes(pixels) * static_cast<size_t>(p.w.filter);
  s.columns = columns.count();
  op.scratch_per_worker = (columns * s.column_rows * sizeof(void*) + s.scratch).count();
  return {};
}

// x[column * column_rows + row]: the pixels that the windows of output row oy of picture b, and of
// those computed together with it, look at. Rows that `in` does not hold are taken for outside.
void gather_columns(const State& s, const Rows& in, int64_t b, int oy, const uint8_t** x) {
  const Picture& p = s.picture;
  const int64_t top = int64_t{oy} * p.h.stride - p.h.before;
  const int64_t columns = static_cast<int64_t>(s.columns),
                cell = static_cast<int64_t>(p.cell_bytes);
  for (size_t row = 0; row < s.column_rows; ++row) {
    const uint8_t** to = x + row;
    const int64_t y = top + static_cast<int64_t>(row) * p.h.dilation;
    const bool inside = y >= in.first && y < in.last;
    const uint8_t* pixels =
        inside ? in.data + (b * p.h.in + y - in.first) * p.w.in * cell : nullptr;
    if (!s.shared_columns) {
      for (int64_t i = 0; i < columns; ++i, to += s.column_rows) {
        const int64_t ix = i / p.w.filter * p.w.stride + i % p.w.filter * p.w.dilation - p.w.before;
        *to = inside && ix >= 0 && ix < p.w.in ? pixels + ix * cell : p.filler.data();
      }
      continue;
    }
    // Left of the picture, inside, and right of it.
    const int64_t first = inside ? std::min<int64_t>(p.w.before, columns) : columns;
    const int64_t last = std::min(columns, int64_t{p.w.before} + p.w.in);
    int64_t i = 0;
    for (; i < first; ++i, to += s.column_rows) *to = p.filler.data();
    if (i < last) {
      const uint8_t* pixel = pixels + (i - p.w.before) * cell;
      const uint8_t** end = to + static_cast<size_t>(last - i) * s.column_rows;
      for (; to != end; to += s.column_rows, pixel += cell) *to = pixel;
      i = last;
    }
    for (; i < columns; ++i, to += s.column_rows) *to = p.filler.data();
  }
}

// A row of `pixels` pixels.
void run_deep(const State& s, const uint8_t* const* x, size_t pixels, int16_t* out) {
  const depthwise::Shape& shape = s.layer.shape;
  const size_t taps = shape.height * shape.width;
  for (size_t i = 0; i < pixels; ++i, x += shape.stride * shape.height) {
    for (size_t c = 0; c < s.out_channels; ++c) {
      int64_t acc = 0;
      for (size_t t = 0; t < taps; ++t) {
        const int16_t value = reinterpret_cast<const int16_t*>(x[t])[c / shape.multiplier];
        acc += value * static_cast<int8_t>(s.deep_weights[t * s.out_channels + c]);
      }
      acc = requantize::wrapping_add(acc, s.bias_wide[c]);
      *out++ = requantize::wide_result(s.rule, s.layer.params, acc, c);
    }
  }
}

// Output rows [oy, oy + rows) of picture b, rows <= rows_at_once; `out` is where the first goes.
void run_group(const State& s, const Rows& in, int64_t b, int oy, size_t rows, uint8_t* out,
               uint8_t* scratch) {
  const Picture& p = s.picture;
  const size_t width = static_cast<size_t>(p.w.out);
  const uint8_t** x = reinterpret_cast<const uint8_t**>(scratch + s.scratch);
  gather_columns(s, in, b, oy, x);
  if (s.deep) {
    run_deep(s, x, width, reinterpret_cast<int16_t*>(out));
  } else if (s.is_float) {
    const size_t step =
        s.column_rows * static_cast<size_t>(s.shared_columns ? p.w.stride : p.w.filter);
    s.kernel_f32->run({width, s.shape_f32, reinterpret_cast<const float* const*>(x), step,
                       s.bias.data(), reinterpret_cast<const float*>(s.packed.data()),
                       reinterpret_cast<float*>(out), s.range.low, s.range.high});
  } else {
    depthwise::run(s.layer, reinterpret_cast<const void* const*>(x), width, rows, out,
                   width * s.out_channels * s.element, scratch);
  }
}

size_t out_row_bytes(const State& s) {
  return static_cast<size_t>(s.picture.w.out) * s.out_channels *
         (s.is_float ? sizeof(float) : s.element);
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.hybrid) return run_depthwise_codes(run, *s.hybrid);
  const Picture& p = s.picture;
  const size_t width = static_cast<size_t>(p.w.out), height = static_cast<size_t>(p.h.out);
  if (p.out_pixels() == 0) return;
  // Work is cut between groups of rows that are computed together.
  const size_t groups = (height + s.rows_at_once - 1) / s.rows_at_once;
  const size_t group_macs = width * s.out_channels * p.taps() * s.rows_at_once;
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const size_t all = static_cast<size_t>(p.batches) * groups;
  const Chunks chunks = cut(all, (1 << 15) / group_macs + 1, threads == 1 ? 1 : 4 * threads);
  const Rows input{run.in<uint8_t>(0), 0, p.h.in};
  run.pool().run(chunks.count, [&](size_t chunk, int worker) {
    for (size_t g = chunk * chunks.size; g < std::min(all, (chunk + 1) * chunks.size); ++g) {
      const size_t b = g / groups, oy = g % groups * s.rows_at_once;
      run_group(s, input, static_cast<int64_t>(b), static_cast<int>(oy),
                std::min(s.rows_at_once, height - oy),
                run.out<uint8_t>(0) + (b * height + oy) * out_row_bytes(s), run.scratch(worker));
    }
  });
}

void eval_rows(const void* state, const Rows& in, int first, int last, uint8_t* out,
               uint8_t* scratch) {
  const State& s = *static_cast<const State*>(state);
  const int step = static_cast<int>(s.rows_at_once);
  for (int oy = first; oy < last; oy += step, out += s.rows_at_once * out_row_bytes(s)) {
    run_group(s, in, 0, oy, static_cast<size_t>(std::min(step, last - oy)), out, scratch);
  }
}

int64_t macs(const OpView& op) {
  const Shape& w = op.in(1).spec.shape;
  return op.out(0).spec.shape.count() * w[1] * w[2];
}

}  // namespace

extern const OpDef op_depthwise_conv_2d{
    check,    infer, prepare, eval, macs, /*alias=*/false, /*shape_only=*/false, /*in_place=*/false,
    eval_rows};

}  // namespace edge
