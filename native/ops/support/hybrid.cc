#include "ops/support/hybrid.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/arena.h"

namespace edge {
namespace {

// The cells that the windows along an axis see, from the first of the border on.
int64_t seen(const WindowAxis& axis) {
  const int64_t windows = int64_t{std::max(axis.out, 1) - 1} * axis.stride +
                          int64_t{axis.filter - 1} * axis.dilation + 1;
  return std::max(windows, int64_t{axis.before} + axis.in);
}

}  // namespace

bool is_hybrid(const OpView& op) {
  if (op.in(0).spec.dtype != DType::kFloat32) return false;
  const DType w = op.in(1).spec.dtype;
  return w == DType::kInt8 || w == DType::kUInt8 || w == DType::kInt4;
}

Status check_hybrid(const OpView& op, int channel_axis) {
  EDGE_TRY(op.expect_input(1, {DType::kInt8, DType::kUInt8, DType::kInt4}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  if (op.has_input(2)) EDGE_TRY(op.expect_input(2, {DType::kFloat32}));
  const Quantization& q = op.in(1).spec.quant;
  if (q.scale.empty()) return invalid_model("its weights have no quantization scale");
  for (float s : q.scale) {
    if (!std::isfinite(s)) return invalid_model("its weights have an infinite scale");
  }
  if (q.per_channel() && q.dimension != channel_axis) {
    return unsupported("its weights have a scale per channel of another axis than the output's");
  }
  return {};
}

Status prepare_hybrid(PrepareContext& op, size_t channels, Activation activation, Picture* picture,
                      Hybrid* h) {
  Picture& p = *picture;
  Features features;
  EDGE_TRY(active_features(&features));
  h->kernel = &row_codes::select(features);
  EDGE_ASSIGN(h->range, activation_range(activation));
  const size_t cell = p.cell_bytes / sizeof(float);
  h->in_rows = static_cast<size_t>(p.h.in);
  h->in_row = static_cast<size_t>(p.w.in) * cell;
  h->before_rows = static_cast<size_t>(p.h.before);
  h->before = static_cast<size_t>(p.w.before) * cell;
  h->batches = static_cast<size_t>(p.batches);
  h->pixels = static_cast<size_t>(p.h.out) * static_cast<size_t>(p.w.out);
  const int64_t height = seen(p.h), width = seen(p.w);
  if (height > INT32_MAX || width > INT32_MAX) return unsupported("its border is too large");
  const Shape shape{p.batches, static_cast<int32_t>(height), static_cast<int32_t>(width),
                    static_cast<int32_t>(cell)};
  EDGE_ASSIGN(const size_t bytes, byte_size(DType::kInt8, shape));
  p.h.in = shape[1];
  p.w.in = shape[2];
  p.h.before = p.w.before = 0;
  p.cell_bytes = cell;
  h->row = static_cast<size_t>(width) * cell;
  h->picture = static_cast<size_t>(height) * h->row;
  h->codes = align_up(Bytes(h->batches) * sizeof(row_codes::Codes));
  op.scratch_shared = (Bytes(h->codes) + bytes + kOverread).count();

  const Quantization& q = op.in(1).spec.quant;
  for (size_t n = 0; n < channels; ++n) h->scale.push_back(q.scale[q.per_channel() ? n : 0]);
  h->bias.resize(channels);
  if (op.has_input(2)) {
    std::memcpy(h->bias.data(), op.in(2).data.data(), channels * sizeof(float));
  }
  return {};
}

const int8_t* encode_pictures(const EvalContext& run, const Hybrid& h) {
  auto* codes = reinterpret_cast<row_codes::Codes*>(run.shared_scratch());
  int8_t* out = reinterpret_cast<int8_t*>(run.shared_scratch() + h.codes);
  const size_t floats = h.in_rows * h.in_row;
  run.pool().run(h.batches, [&](size_t b, int) {
    const float* x = run.in<float>(0) + b * floats;
    codes[b] = row_codes::find(*h.kernel, x, floats, h.asymmetric);
    int8_t* to = out + b * h.picture;
    if (h.picture != floats) std::memset(to, codes[b].offset, h.picture);
    to += h.before_rows * h.row + h.before;
    const size_t rough = row_codes::roughly(floats);
    for (size_t y = 0; y < h.in_rows; ++y) {
      const size_t done = y * h.in_row;
      const size_t part = std::min(h.in_row, rough - std::min(rough, done));
      h.kernel->encode({&codes[b], x + done, part, h.in_row, to + y * h.row});
    }
  });
  return out;
}

void finish_hybrid(const EvalContext& run, const Hybrid& h, size_t first, size_t count,
                   size_t channel, size_t first_col, size_t last_col, uint8_t* out,
                   size_t out_stride) {
  const auto* codes = reinterpret_cast<const row_codes::Codes*>(run.shared_scratch());
  const size_t n = channel + first_col;
  for (size_t i = 0; i < count; ++i) {
    const row_codes::Codes& of = codes[(first + i) / h.pixels];
    h.kernel->decode({last_col - first_col, out + (i * out_stride + first_col) * sizeof(float),
                      of.scale, of.offset, h.sums.data() + n, h.scale.data() + n, h.bias.data() + n,
                      h.scales_in_turn, h.range.low, h.range.high});
  }
}

}  // namespace edge
