#include "ops/support/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/cpu.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

// Below this many multiply-accumulates a thread costs more than it brings.
constexpr size_t kMacsPerTask = 1 << 16;

Status prepare_integer(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm::Kernel& kernel = gemm::select(features);
  const requantize::Kernel& stage = requantize::select(features, spec.rule);
  const Value& x = op.in(0);
  const Value& w = op.in(1);
  const TensorSpec& y = op.out(0).spec;
  EDGE_ASSIGN(const Range range, activation_range(spec.activation, y));
  const bool is_unsigned = m->dtype == DType::kUInt8;
  // Per-channel weights are symmetric: TFLite's kernels do not look at their zero points.
  const int32_t zero_point = w.spec.quant.per_channel() ? 0 : w.spec.zero_point();
  const int32_t* bias =
      op.has_input(2) ? reinterpret_cast<const int32_t*>(op.in(2).data.data()) : nullptr;
  // A kernel steps through each tap by kr. Where that wastes a part of every step, as with the
  // three colours of a picture, windows are copied together first and become one tap.
  m->flat = spec.taps > 1 && (kernel.operand == gemm::Operand::kInt16 ||
                              (m->depth % kernel.kr != 0 && m->depth < 4u * kernel.kr));
  const gemm::Shape shape = m->flat ? gemm::Shape{m->group_cols, 1, spec.taps * m->depth}
                                    : gemm::Shape{m->group_cols, spec.taps, m->depth};
  // FULLY_CONNECTED multiplies by the real scale, whatever its sign.
  const std::unique_ptr<bool[]> negate =
      spec.rule == requantize::Rule::kReal ? nullptr : negative_scales(op, m->out_channels);
  for (size_t g = 0; g < spec.groups; ++g) {
    auto group = std::make_unique<MatrixGroup>();
    const size_t first = g * m->group_cols;
    requantize::Params params;
    for (size_t n = first; n < first + m->group_cols; ++n) {
      if (spec.rule == requantize::Rule::kReal) {
        group->scale.push_back(output_scale(op, n, false));
        continue;
      }
      const requantize::Multiplier q =
          requantize::quantize_multiplier(std::abs(output_scale(op, n, is_unsigned)));
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
    group->packed = Arena(gemm::packed_bytes(group->layer));
    if (!group->packed.data()) return Status(Code::kResource, "no memory for packed weights");
    gemm::pack({shape, w.data.data() + first * spec.taps * m->depth, is_unsigned, zero_point,
                x.spec.zero_point(), bias ? bias + first : nullptr,
                negate ? negate.get() + first : nullptr},
               &group->layer, group->packed.data());
    op.packed_bytes += group->packed.size();
    m->groups.push_back(std::move(group));
  }
  m->mr = kernel.mr;
  m->nr = kernel.nr;
  m->scratch = align_up(gemm::scratch_bytes(m->groups[0]->layer));
  m->block_rows = gemm::block_rows(m->groups[0]->layer);
  m->picture.fill(m->in_channels, static_cast<uint8_t>(x.spec.zero_point()));
  op.kernel = kernel.name;
  return {};
}

Status prepare_float(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm_f32::Kernel& kernel = gemm_f32::select(features);
  EDGE_ASSIGN(const FloatRange range, activation_range(spec.activation));
  const float* weights = reinterpret_cast<const float*>(op.in(1).data.data());
  const float* bias =
      op.has_input(2) ? reinterpret_cast<const float*>(op.in(2).data.data()) : nullptr;
  const gemm_f32::Shape shape{m->group_cols, spec.taps, m->depth};
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
  m->mr = m->block_rows = kernel.mr;
  m->nr = kernel.nr;
  m->picture.fill(m->in_channels * sizeof(float), 0);
  op.kernel = kernel.name;
  return {};
}

// Where the window of output pixel ox of a row begins, and the row of the input under row fy of the
// window, or null where that lies outside.
int64_t left_of(const Picture& p, int ox) { return int64_t{ox} * p.w.stride - p.w.before; }
const uint8_t* input_row(const Picture& p, const uint8_t* data, int b, int oy, int fy) {
  const int64_t y = int64_t{oy} * p.h.stride - p.h.before + int64_t{fy} * p.h.dilation;
  if (y < 0 || y >= p.h.in) return nullptr;
  return data + (int64_t{b} * p.h.in + y) * p.w.in * static_cast<int64_t>(p.cell_bytes);
}

// pointers[t * m.block_rows + i]: what output pixel ox + i of row oy sees through tap t, from byte
// `offset` of a pixel on. `count` pixels of one row.
void point_at_windows(const Matrix& m, const uint8_t* data, size_t offset, int b, int oy, int ox,
                      size_t count, const uint8_t** pointers) {
  const Picture& p = m.picture;
  for (int fy = 0; fy < p.h.filter; ++fy) {
    const uint8_t* row = input_row(p, data, b, oy, fy);
    for (int fx = 0; fx < p.w.filter; ++fx, pointers += m.block_rows) {
      int64_t x = left_of(p, ox) + int64_t{fx} * p.w.dilation;
      for (size_t i = 0; i < count; ++i, x += p.w.stride) {
        const bool inside =
            row != nullptr && static_cast<uint64_t>(x) < static_cast<uint64_t>(p.w.in);
        pointers[i] =
            (inside ? row + x * static_cast<int64_t>(p.cell_bytes) : p.filler.data()) + offset;
      }
    }
  }
}

// Copies `bytes` in whole steps of 16: reads and writes up to 15 more.
void copy_steps(uint8_t* to, const uint8_t* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 16) std::memcpy(to + i, from + i, 16);
}

// The same windows, each copied to one row of `flat`.
void copy_windows(const Matrix& m, const uint8_t* data, size_t offset, int b, int oy, int ox,
                  size_t count, uint8_t* flat) {
  const Picture& p = m.picture;
  const bool whole_runs = p.w.dilation == 1 && m.depth == m.in_channels;
  const size_t run = static_cast<size_t>(p.w.filter) * m.depth;
  const int64_t cell = static_cast<int64_t>(p.cell_bytes);
  for (size_t i = 0; i < count; ++i, flat += m.flat_stride) {
    const int64_t left = left_of(p, ox + static_cast<int>(i));
    uint8_t* to = flat;
    for (int fy = 0; fy < p.h.filter; ++fy, to += run) {
      const uint8_t* row = input_row(p, data, b, oy, fy);
      if (row != nullptr && whole_runs && left >= 0 && left + p.w.filter <= p.w.in) {
        copy_steps(to, row + left * cell, run);
        continue;
      }
      for (int fx = 0; fx < p.w.filter; ++fx) {
        const int64_t x = left + int64_t{fx} * p.w.dilation;
        const bool inside = row != nullptr && x >= 0 && x < p.w.in;
        const uint8_t* from = inside ? row + x * cell : p.filler.data();
        copy_steps(to + static_cast<size_t>(fx) * m.depth, from + offset, m.depth);
      }
    }
  }
}

// Pointers to what the kernel reads for `rows` output pixels from `first` on.
void gather(const Matrix& m, const uint8_t* data, size_t offset, size_t first, size_t rows,
            uint8_t* flat, const uint8_t** pointers) {
  const Picture& p = m.picture;
  if (m.dense) {
    const uint8_t* x = data + first * p.cell_bytes + offset;
    for (size_t i = 0; i < rows; ++i, x += p.cell_bytes) pointers[i] = x;
    return;
  }
  const size_t width = static_cast<size_t>(p.w.out), height = static_cast<size_t>(p.h.out);
  for (size_t i = 0; i < rows;) {
    const size_t y = (first + i) / width, ox = (first + i) % width;
    const size_t count = std::min(rows - i, width - ox);
    const int b = static_cast<int>(y / height), oy = static_cast<int>(y % height);
    if (m.flat) {
      copy_windows(m, data, offset, b, oy, static_cast<int>(ox), count, flat + i * m.flat_stride);
    } else {
      point_at_windows(m, data, offset, b, oy, static_cast<int>(ox), count, pointers + i);
    }
    i += count;
  }
  if (m.flat) {
    for (size_t i = 0; i < rows; ++i) pointers[i] = flat + i * m.flat_stride;
  }
}

}  // namespace

Status check_weighted(const OpView& op, int channel_axis) {
  EDGE_TRY(op.expect_arity(2, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kFloat32}));
  const Value& x = op.in(0);
  const Value& w = op.in(1);
  EDGE_TRY(op.expect_input(1, {x.spec.dtype}));
  if (op.out(0).spec.dtype != x.spec.dtype) return op.expect_output(0, {x.spec.dtype});
  const bool integer = x.spec.dtype != DType::kFloat32;
  if (op.has_input(2)) EDGE_TRY(op.expect_input(2, {integer ? DType::kInt32 : DType::kFloat32}));
  if (!integer) return {};
  EDGE_TRY(op.expect_quantized(x));
  EDGE_TRY(op.expect_quantized(op.out(0)));
  const Quantization& q = w.spec.quant;
  if (q.scale.empty()) return invalid_model("its weights have no quantization scale");
  for (float s : q.scale) {
    if (!std::isfinite(s)) return invalid_model("its weights have an infinite scale");
  }
  if (q.per_channel() && (x.spec.dtype == DType::kUInt8 || q.dimension != channel_axis)) {
    return unsupported(
        "its weights have a scale per channel of another axis than the output's, or are uint8");
  }
  const Range range = type_range(w.spec.dtype);
  if (w.spec.zero_point() < range.low || w.spec.zero_point() > range.high) {
    return invalid_model("its weights' zero point is outside of their type");
  }
  return {};
}

std::unique_ptr<bool[]> negative_scales(const OpView& op, size_t channels) {
  const Quantization& q = op.in(1).spec.quant;
  if (std::none_of(q.scale.begin(), q.scale.end(), [](float s) { return s < 0; })) return nullptr;
  auto negative = std::make_unique<bool[]>(channels);
  for (size_t c = 0; c < channels; ++c) negative[c] = q.scale[q.per_channel() ? c : 0] < 0;
  return negative;
}

double output_scale(const OpView& op, size_t channel, bool float_product) {
  const Quantization& q = op.in(1).spec.quant;
  const float sx = op.in(0).spec.scale(), sw = q.per_channel() ? q.scale[channel] : q.scale[0];
  const double product =
      float_product ? static_cast<double>(sx * sw) : static_cast<double>(sx) * sw;
  return product / op.out(0).spec.scale();
}

Status prepare_matrix(PrepareContext& op, const MatrixSpec& spec, Matrix* m) {
  if (!op.in(1).constant || (op.has_input(2) && !op.in(2).constant)) {
    return unsupported("its weights or biases are known only while running");
  }
  m->dtype = op.in(0).spec.dtype;
  if (op.has_input(2) && op.in(2).spec.shape.count() != static_cast<int64_t>(m->out_channels)) {
    return invalid_model(format("it has %lld biases for %zu channels",
                                static_cast<long long>(op.in(2).spec.shape.count()),
                                m->out_channels));
  }
  if (op.in(1).spec.quant.per_channel() && op.in(1).spec.quant.scale.size() != m->out_channels) {
    return invalid_model("it does not have one weight scale per channel");
  }
  m->group_cols = m->out_channels / spec.groups;
  const Picture& p = m->picture;
  m->dense = spec.taps == 1 && p.h.stride == 1 && p.w.stride == 1 && p.h.in == p.h.out &&
             p.w.in == p.w.out && p.h.before == 0 && p.w.before == 0;
  const bool is_float = m->dtype == DType::kFloat32;
  EDGE_TRY(is_float ? prepare_float(op, spec, m) : prepare_integer(op, spec, m));
  m->flat_stride = align_up(spec.taps * m->depth + 16);
  m->pointers = m->scratch + (m->flat ? m->block_rows * m->flat_stride + kOverread : 0);
  op.scratch_per_worker = m->pointers + spec.taps * m->block_rows * sizeof(void*);
  return {};
}

void run_matrix(const EvalContext& run, const Matrix& m) {
  const size_t pixels = m.picture.out_pixels();
  if (pixels == 0 || m.out_channels == 0) return;
  const uint8_t* input = run.in<uint8_t>(0);
  uint8_t* output = run.out<uint8_t>(0);
  const bool is_float = m.dtype == DType::kFloat32;
  const size_t element = is_float ? sizeof(float) : 1;
  const size_t macs_per_row = m.picture.taps() * m.depth * m.group_cols;
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
    const size_t g = task / per_group, r = task % per_group / cols.count, c = task % cols.count;
    const MatrixGroup& group = *m.groups[g];
    const size_t first_col = c * cols.size * m.nr;
    const size_t last_col = std::min(m.group_cols, (c + 1) * cols.size * m.nr);
    uint8_t* scratch = run.scratch(worker);
    const uint8_t** pointers = reinterpret_cast<const uint8_t**>(scratch + m.pointers);
    const size_t end = std::min(pixels, (r + 1) * rows.size * m.mr);
    for (size_t p = r * rows.size * m.mr; p < end; p += m.block_rows) {
      const size_t count = std::min(m.block_rows, end - p);
      gather(m, input, g * m.depth * element, p, count, scratch + m.scratch, pointers);
      uint8_t* out = output + (p * m.out_channels + g * m.group_cols) * element;
      if (is_float) {
        gemm_f32::run(group.layer_f32, reinterpret_cast<const float* const*>(pointers), count,
                      first_col, last_col, reinterpret_cast<float*>(out), m.out_channels);
      } else {
        gemm::run(group.layer, reinterpret_cast<const void* const*>(pointers), m.block_rows, count,
                  first_col, last_col, out, m.out_channels, scratch);
      }
    }
  });
}

}  // namespace edge
