#include "ops/support/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/cpu.h"
#include "ops/support/int4.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

// Below this many multiply-accumulates a thread costs more than it brings.
constexpr size_t kMacsPerTask = 1 << 16;

bool has_bias(const OpView& op, const Operands& operands) {
  return operands.bias < op.input_count() && op.has_input(operands.bias);
}

template <typename T>
const T* bias_of(const OpView& op, const MatrixSpec& spec) {
  if (!has_bias(op, spec.operands)) return nullptr;
  return reinterpret_cast<const T*>(op.in(spec.operands.bias).data.data());
}

// Per-channel weights are symmetric: TFLite's kernels do not look at their zero points.
int32_t weight_zero_point(const Value& w, const MatrixSpec& spec) {
  return w.spec.quant.per_channel() || spec.symmetric_weights ? 0 : w.spec.zero_point();
}

const uint8_t* weights_of(const OpView& op, const MatrixSpec& spec) {
  return spec.weights ? spec.weights : op.in(spec.operands.w).data.data();
}

gemm::Shape gather_for(const gemm::Kernel& kernel, Matrix* m) {
  Windows& windows = m->windows;
  windows.depth_bytes = m->depth;
  windows.how = choose_gather(windows, kernel.kr);
  return {m->group_cols, windows.taps(), windows.tap_bytes()};
}

// Where too few weights are zero for kernels that leave them out, these do not fit. `weights` are
// of all groups; their shape follows from the kernel.
const gemm::Kernel& choose_kernel(PrepareContext& op, Features features, gemm::Weights weights,
                                  Matrix* m) {
  weights.shape = gather_for(gemm::select(features), m);
  weights.shape.cols = m->out_channels;
  const gemm::Kernel& best = gemm::select(features, weights);
  return op.choose(best, gemm::kernels, features,
                   [&](const gemm::Kernel& k) { return k.zeros == 0 || best.zeros != 0; });
}

Status prepare_integer(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const requantize::Kernel& stage = requantize::select(features, spec.rule);
  const Value& x = op.in(spec.operands.x);
  const Value& w = op.in(spec.operands.w);
  const TensorSpec& y = op.out(0).spec;
  EDGE_ASSIGN(const Range range, activation_range(spec.activation, y));
  const bool is_unsigned = m->dtype == DType::kUInt8;
  const int32_t zero_point = weight_zero_point(w, spec);
  std::vector<uint8_t> unpacked;
  const uint8_t* bytes = spec.weights ? spec.weights : bytes_of_codes(w, &unpacked);
  const int32_t* bias = bias_of<int32_t>(op, spec);
  // FULLY_CONNECTED multiplies by the real scale, whatever its sign.
  const std::unique_ptr<bool[]> negate = spec.rule == requantize::Rule::kReal
                                             ? nullptr
                                             : negative_scales(op, m->out_channels, spec.operands);
  const gemm::Kernel& kernel = choose_kernel(
      op, features, {{}, bytes, is_unsigned, zero_point, 0, nullptr, negate.get()}, m);
  const gemm::Shape shape = gather_for(kernel, m);
  for (size_t g = 0; g < spec.groups; ++g) {
    auto group = std::make_unique<MatrixGroup>();
    const size_t first = g * m->group_cols;
    requantize::Params params;
    for (size_t n = first; n < first + m->group_cols; ++n) {
      if (spec.rule == requantize::Rule::kReal) {
        group->scale.push_back(output_scale(op, n, false, spec.operands));
        continue;
      }
      const requantize::Multiplier q = requantize::quantize_multiplier(
          std::abs(output_scale(op, n, is_unsigned, spec.operands)));
      if (q.e > 31) return invalid_model("its scales give a multiplier above 2^31");
      group->multiplier.push_back(q.m);
      group->exponent.push_back(q.e);
    }
    const bool real = spec.rule == requantize::Rule::kReal;
    params.multiplier = real ? nullptr : group->multiplier.data();
    params.exponent = group->exponent.data();
    params.scale = group->scale.data();
    params.zero_point = y.zero_point();
    params.min = range.low;
    params.max = range.high;
    group->layer = {&kernel, shape, is_unsigned, nullptr, &stage, params};
    const gemm::Weights weights{shape,
                                bytes + first * spec.taps * m->depth,
                                is_unsigned,
                                zero_point,
                                x.spec.zero_point(),
                                bias ? bias + first : nullptr,
                                negate ? negate.get() + first : nullptr};
    group->packed = Arena(gemm::packed_bytes(group->layer, weights));
    if (!group->packed.data()) return Status(Code::kResource, "no memory for packed weights");
    gemm::pack(weights, &group->layer, group->packed.data());
    op.packed_bytes += group->packed.size();
    m->groups.push_back(std::move(group));
  }
  m->mr = kernel.mr;
  m->nr = kernel.nr;
  m->copies = align_up(gemm::scratch_bytes(m->groups[0]->layer));
  Windows& windows = m->windows;
  windows.block_rows = gemm::block_rows(m->groups[0]->layer);
  windows.picture.fill(std::max(windows.run_bytes(), windows.picture.cell_bytes),
                       static_cast<uint8_t>(x.spec.zero_point()));
  return {};
}

// int8 weights whose accumulators become floats; uint8 ones are taken for int8, as TFLite does.
Status prepare_codes(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const Value& w = op.in(1);
  std::vector<uint8_t> unpacked;
  const uint8_t* bytes = bytes_of_codes(w, &unpacked);
  const Quantization& q = w.spec.quant;
  m->hybrid = std::make_unique<Hybrid>();
  const bool alike =
      std::all_of(q.scale.begin(), q.scale.end(), [&](float s) { return s == q.scale[0]; });
  m->hybrid->scales_in_turn = spec.convolution && (!alike || spec.groups > 1);
  m->hybrid->asymmetric = spec.asymmetric || m->hybrid->scales_in_turn;
  Windows& windows = m->windows;
  EDGE_TRY(prepare_hybrid(op, m->out_channels, spec.activation, &windows.picture, m->hybrid.get()));
  const gemm::Kernel& kernel = choose_kernel(op, features, {{}, bytes, false, 0, 0, nullptr}, m);
  const gemm::Shape shape = gather_for(kernel, m);
  const size_t column = spec.taps * m->depth;
  for (size_t n = 0; n < m->out_channels; ++n) {
    uint32_t sum = 0;
    for (size_t k = 0; k < column; ++k) {
      sum += static_cast<uint32_t>(static_cast<int8_t>(bytes[n * column + k]));
    }
    m->hybrid->sums.push_back(sum);
  }
  for (size_t g = 0; g < spec.groups; ++g) {
    auto group = std::make_unique<MatrixGroup>();
    group->layer = {&kernel, shape, false, nullptr, nullptr, {}};
    const gemm::Weights weights{shape, bytes + g * m->group_cols * column, false, 0, 0, nullptr};
    group->packed = Arena(gemm::packed_bytes(group->layer, weights));
    if (!group->packed.data()) return Status(Code::kResource, "no memory for packed weights");
    gemm::pack(weights, &group->layer, group->packed.data());
    op.packed_bytes += group->packed.size();
    m->groups.push_back(std::move(group));
  }
  m->mr = kernel.mr;
  m->nr = kernel.nr;
  m->copies = align_up(gemm::scratch_bytes(m->groups[0]->layer));
  windows.block_rows = gemm::block_rows(m->groups[0]->layer);
  windows.picture.fill(std::max(windows.run_bytes(), windows.picture.cell_bytes), 0);
  return {};
}

Status prepare_wide(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm::Kernel& kernel =
      op.choose(gemm::select_wide(features), gemm::kernels, features, gemm::is_wide);
  EDGE_ASSIGN(const Range range, activation_range(spec.activation, op.out(0).spec));
  const WideRule rule = wide_rule(op, spec, m->out_channels);
  const Value& w = op.in(spec.operands.w);
  const int32_t zero_point = weight_zero_point(w, spec);
  const int8_t* weights = reinterpret_cast<const int8_t*>(weights_of(op, spec));
  Windows& windows = m->windows;
  windows.depth_bytes = m->depth * sizeof(int16_t);
  windows.how = choose_gather(windows, kernel.kr * sizeof(int16_t));
  if (windows.picture.taps() > 1) windows.how = Gather::kFlat;  // these products know one tap
  const size_t depth = spec.taps * m->depth;
  for (size_t g = 0; g < spec.groups; ++g) {
    auto group = std::make_unique<MatrixGroup>();
    const size_t first = g * m->group_cols;
    for (size_t n = first; n < first + m->group_cols; ++n) {
      EDGE_TRY(append_multiplier(op, rule, spec.operands, n, &group->multiplier, &group->exponent,
                                 &group->scale));
      group->bias.push_back(rule.bias[n]);
    }
    const requantize::Params params{group->multiplier.data(),
                                    group->exponent.data(),
                                    group->scale.data(),
                                    0,
                                    range.low,
                                    range.high};
    group->wide.kernel = &kernel;
    group->wide.rule = rule.rule;
    group->wide.params = params;
    group->wide.requantize = &requantize::select(features, rule.rule);
    if (!gemm::pack({m->group_cols, depth, weights + first * depth, zero_point, group->bias.data(),
                     rule.wraps},
                    &group->wide)) {
      return Status(Code::kResource, "no memory for packed weights");
    }
    for (const Arena& packed : group->wide.packed) op.packed_bytes += packed.size();
    m->groups.push_back(std::move(group));
  }
  m->mr = kernel.mr;
  m->nr = kernel.nr;
  m->copies = align_up(gemm::scratch_bytes(m->groups[0]->wide));
  windows.block_rows = gemm::block_rows(m->groups[0]->wide);
  windows.picture.fill(std::max(windows.run_bytes(), windows.picture.cell_bytes), 0);
  return {};
}

Status prepare_float(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm_f32::Kernel& kernel =
      op.choose(gemm_f32::select(features), gemm_f32::kernels, features);
  EDGE_ASSIGN(const FloatRange range, activation_range(spec.activation));
  const float* weights = reinterpret_cast<const float*>(weights_of(op, spec));
  const float* bias = bias_of<float>(op, spec);
  Windows& windows = m->windows;
  windows.depth_bytes = m->depth * sizeof(float);
  windows.how = choose_gather(windows, sizeof(float));
  const gemm_f32::Shape shape{m->group_cols, windows.taps(), windows.tap_bytes() / sizeof(float)};
  for (size_t g = 0; g < spec.groups; ++g) {
    auto group = std::make_unique<MatrixGroup>();
    const size_t first = g * m->group_cols;
    group->packed = Arena(gemm_f32::packed_bytes(kernel, shape));
    if (!group->packed.data()) return Status(Code::kResource, "no memory for packed weights");
    float* packed = reinterpret_cast<float*>(group->packed.data());
    gemm_f32::pack(kernel, shape, weights + first * spec.taps * m->depth,
                   bias ? bias + first : nullptr, packed);
    group->layer_f32 = {&kernel, shape, packed, range.low, range.high};
    op.packed_bytes += group->packed.size();
    m->groups.push_back(std::move(group));
  }
  m->mr = kernel.mr;
  m->nr = kernel.nr;
  windows.block_rows = size_t{kernel.mr} * 8;
  windows.picture.fill(std::max(windows.run_bytes(), windows.picture.cell_bytes), 0);
  return {};
}

size_t element_bytes(const Matrix& m) { return m.hybrid ? 1 : dtype_size(m.dtype); }
// Of an output pixel.
size_t out_bytes(const Matrix& m) { return m.out_channels * dtype_size(m.dtype); }

// Output pixels [first, last) and columns [first_col, last_col) of one group.
struct Block {
  size_t group, first, last, first_col, last_col;
};

// `out` is where pixel `first` goes, or the first of all where the matrix places its pixels apart;
// `hybrid` is given for those.
void run_block(const Matrix& m, const Rows& input, const Block& b, uint8_t* out, uint8_t* scratch,
               const EvalContext* hybrid = nullptr) {
  const MatrixGroup& group = *m.groups[b.group];
  const Windows& windows = m.windows;
  const Placement& place = m.placement;
  const size_t width = static_cast<size_t>(windows.picture.w.out);
  const size_t height = static_cast<size_t>(windows.picture.h.out);
  const size_t stride = m.out_channels * place.step;
  const uint8_t** pointers = reinterpret_cast<const uint8_t**>(scratch + m.pointers);
  const size_t offset = b.group * m.depth * element_bytes(m);
  size_t count;
  for (size_t p = b.first; p < b.last; p += count) {
    count = std::min(windows.block_rows, b.last - p);
    size_t at = p - b.first;
    if (!place.dense) {
      const size_t x = p % width, y = p / width;
      count = std::min(count, width - x);
      at = place.first + y / height * place.picture + y % height * place.row + x * place.step;
    }
    gather(windows, input, offset, p, count, scratch + m.copies, pointers);
    uint8_t* to = out + (at * m.out_channels + b.group * m.group_cols) * dtype_size(m.dtype);
    if (element_bytes(m) == sizeof(float)) {
      gemm_f32::run(group.layer_f32, reinterpret_cast<const float* const*>(pointers),
                    windows.block_rows, count, b.first_col, b.last_col,
                    reinterpret_cast<float*>(to), stride);
    } else if (m.dtype == DType::kInt16) {
      gemm::run(group.wide, reinterpret_cast<const int16_t* const*>(pointers), count, b.first_col,
                b.last_col, reinterpret_cast<int16_t*>(to), stride, scratch);
    } else {
      gemm::run(group.layer, reinterpret_cast<const void* const*>(pointers), windows.block_rows,
                count, b.first_col, b.last_col, to, stride, scratch);
      if (hybrid) {
        finish_hybrid(*hybrid, *m.hybrid, p, count, b.group * m.group_cols, b.first_col, b.last_col,
                      to, m.out_channels);
      }
    }
  }
}

}  // namespace

Status check_weighted(const OpView& op, int channel_axis, const Operands& operands) {
  const size_t arity = std::max({operands.x, operands.w, operands.bias}) + 1;
  EDGE_TRY(op.expect_arity(arity - 1, arity, 1));
  if (operands.x == 0 && is_hybrid(op)) return check_hybrid(op, channel_axis);
  EDGE_TRY(
      op.expect_input(operands.x, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat32}));
  const Value& x = op.in(operands.x);
  const Value& w = op.in(operands.w);
  const DType type = x.spec.dtype;
  if (type == DType::kInt8) {
    EDGE_TRY(op.expect_input(operands.w, {DType::kInt8, DType::kInt4}));
  } else if (type == DType::kInt16 && op.node().opcode == opcode::kFULLY_CONNECTED) {
    EDGE_TRY(op.expect_input(operands.w, {DType::kInt8, DType::kInt16}));
  } else {
    EDGE_TRY(op.expect_input(operands.w, {type == DType::kInt16 ? DType::kInt8 : type}));
  }
  EDGE_TRY(op.expect_output(0, {type}));
  if (has_bias(op, operands)) {
    if (type == DType::kInt16) {
      EDGE_TRY(op.expect_input(operands.bias, {DType::kInt64, DType::kInt32}));
    } else {
      EDGE_TRY(op.expect_input(operands.bias,
                               {type == DType::kFloat32 ? DType::kFloat32 : DType::kInt32}));
    }
  }
  if (type == DType::kFloat32) return {};
  for (const Value* v : {&x, &op.out(0)}) {
    EDGE_TRY(type == DType::kInt16 ? expect_symmetric(*v) : op.expect_quantized(*v));
  }
  const Quantization& q = w.spec.quant;
  if (q.scale.empty()) return invalid_model("its weights have no quantization scale");
  for (float s : q.scale) {
    if (!std::isfinite(s)) return invalid_model("its weights have an infinite scale");
  }
  if (q.per_channel() && (type == DType::kUInt8 || q.dimension != channel_axis)) {
    return unsupported(
        "its weights have a scale per channel of another axis than the output's, or are uint8");
  }
  const Range range = w.spec.dtype == DType::kInt4 ? Range{0, 0} : type_range(w.spec.dtype);
  if (w.spec.zero_point() < range.low || w.spec.zero_point() > range.high) {
    return invalid_model("its weights' zero point is outside of their type");
  }
  return {};
}

WideRule wide_rule(const OpView& op, const MatrixSpec& spec, size_t channels) {
  WideRule rule;
  rule.bias.assign(channels, 0);
  rule.wraps = spec.bias_type == DType::kInt32;
  if (has_bias(op, spec.operands)) {
    rule.wraps = op.in(spec.operands.bias).spec.dtype == DType::kInt32;
    if (rule.wraps) {
      std::copy_n(bias_of<int32_t>(op, spec), channels, rule.bias.begin());
    } else {
      std::copy_n(bias_of<int64_t>(op, spec), channels, rule.bias.begin());
    }
  }
  if (spec.rule == requantize::Rule::kReal) {
    rule.rule = requantize::Rule::kWideReal;
  } else if (rule.wraps) {
    rule.rule = requantize::Rule::kWideDoubleRounding;
  }
  return rule;
}

Status append_multiplier(const OpView& op, const WideRule& rule, const Operands& operands,
                         size_t channel, std::vector<int32_t>* multiplier,
                         std::vector<int32_t>* exponent, std::vector<double>* scale) {
  const double real = output_scale(op, channel, false, operands);
  const requantize::Multiplier q = requantize::quantize_multiplier(real);
  // 64-bit sums are shifted right only.
  const int32_t most = rule.rule == requantize::Rule::kWideReduced ? 14 : 31;
  if (rule.rule != requantize::Rule::kWideReal && q.e > most) {
    return invalid_model(format("its scales give a multiplier above 2^%d", most));
  }
  multiplier->push_back(q.m);
  exponent->push_back(q.e);
  const bool reduced = rule.rule == requantize::Rule::kWideReduced;
  scale->push_back(reduced ? requantize::reduced_scale(q) : real);
  return {};
}

std::unique_ptr<bool[]> negative_scales(const OpView& op, size_t channels,
                                        const Operands& operands) {
  const Quantization& q = op.in(operands.w).spec.quant;
  if (std::none_of(q.scale.begin(), q.scale.end(), [](float s) { return s < 0; })) return nullptr;
  auto negative = std::make_unique<bool[]>(channels);
  for (size_t c = 0; c < channels; ++c) negative[c] = q.scale[q.per_channel() ? c : 0] < 0;
  return negative;
}

double output_scale(const OpView& op, size_t channel, bool float_product,
                    const Operands& operands) {
  const Quantization& q = op.in(operands.w).spec.quant;
  const float sx = op.in(operands.x).spec.scale(),
              sw = q.per_channel() ? q.scale[channel] : q.scale[0];
  const double product =
      float_product ? static_cast<double>(sx * sw) : static_cast<double>(sx) * sw;
  return product / op.out(0).spec.scale();
}

Status expect_known_weights(const OpView& op, const MatrixSpec& spec, size_t channels) {
  const Value& w = op.in(spec.operands.w);
  const Value* bias = has_bias(op, spec.operands) ? &op.in(spec.operands.bias) : nullptr;
  EDGE_TRY(op.expect_known(spec.operands.w));
  if (bias) EDGE_TRY(op.expect_known(spec.operands.bias));
  if (bias && bias->spec.shape.count() != static_cast<int64_t>(channels)) {
    return invalid_model(format("it has %lld biases for %zu channels",
                                static_cast<long long>(bias->spec.shape.count()), channels));
  }
  if (w.spec.quant.per_channel() && w.spec.quant.scale.size() != channels) {
    return invalid_model("it does not have one weight scale per channel");
  }
  return {};
}

Status prepare_matrix(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  EDGE_TRY(expect_known_weights(op, spec, m->out_channels));
  m->dtype = op.in(spec.operands.x).spec.dtype;
  m->group_cols = m->out_channels / spec.groups;
  EDGE_TRY(is_hybrid(op)                 ? prepare_codes(op, spec, m)
           : m->dtype == DType::kFloat32 ? prepare_float(op, spec, m)
           : m->dtype == DType::kInt16   ? prepare_wide(op, spec, m)
                                         : prepare_integer(op, spec, m));
  m->pointers = align_up(Bytes(m->copies) + m->windows.copy_bytes());
  // Hybrid products encode whole pictures first.
  if (!m->hybrid) {
    op.rows = {m->windows.picture.h, static_cast<size_t>(m->windows.picture.w.out), m->mr};
  }
  op.scratch_per_worker = std::max(
      op.scratch_per_worker,
      (Bytes(m->windows.taps()) * m->windows.block_rows * sizeof(void*) + m->pointers).count());
  return {};
}

void run_matrix(const EvalContext& run, const Matrix& m, size_t input_index) {
  const size_t pixels = m.windows.picture.out_pixels();
  if (pixels == 0 || m.out_channels == 0) return;
  Rows input{run.in<uint8_t>(input_index), 0, m.windows.picture.h.in};
  if (m.hybrid) input.data = reinterpret_cast<const uint8_t*>(encode_pictures(run, *m.hybrid));
  const size_t macs_per_row = m.windows.picture.taps() * m.depth * m.group_cols;
  const size_t threads = static_cast<size_t>(run.pool().threads());
  // Rows are cut first; where there are few, as in a fully connected layer, columns as well.
  const size_t tiles = (pixels + m.mr - 1) / m.mr;
  const size_t tile_macs = std::max<size_t>(macs_per_row * m.mr, 1);
  const Chunks rows =
      cut(tiles, (kMacsPerTask + tile_macs - 1) / tile_macs, threads == 1 ? 1 : 4 * threads);
  const size_t panels = (m.group_cols + m.nr - 1) / m.nr;
  const bool split = rows.count < threads && macs_per_row * pixels >= 2 * kMacsPerTask;
  const Chunks cols = split ? cut(panels, 1, threads) : Chunks{panels, 1};
  const size_t per_group = rows.count * cols.count;
  run.pool().run(per_group * m.groups.size(), [&](size_t task, int worker) {
    const size_t r = task % per_group / cols.count, c = task % cols.count;
    Block block;
    block.group = task / per_group;
    block.first_col = c * cols.size * m.nr;
    block.last_col = std::min(m.group_cols, (c + 1) * cols.size * m.nr);
    block.first = r * rows.size * m.mr;
    block.last = std::min(pixels, (r + 1) * rows.size * m.mr);
    uint8_t* out = run.out<uint8_t>(0);
    if (m.placement.dense) out += block.first * out_bytes(m);
    run_block(m, input, block, out, run.scratch(worker), m.hybrid ? &run : nullptr);
  });
}

void run_matrix_rows(const void* state, const Rows& in, int first, int last, uint8_t* out,
                     uint8_t* scratch) {
  const Matrix& m = *static_cast<const Matrix*>(state);
  const size_t width = static_cast<size_t>(m.windows.picture.w.out);
  Block block{0, static_cast<size_t>(first) * width, static_cast<size_t>(last) * width, 0,
              m.group_cols};
  for (; block.group < m.groups.size(); ++block.group) run_block(m, in, block, out, scratch);
}

}  // namespace edge
