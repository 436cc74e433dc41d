#include "ops/support/transposed.h"

#include <algorithm>
#include <cstring>

namespace edge {
namespace {

// The convolution that output places phase, phase + stride, ... see along one axis, and which cells
// of the filter are its own: first_cell, first_cell + stride, ..., the last first.
struct PhaseAxis {
  WindowAxis window;
  int first_cell = 0;
};

PhaseAxis phase_of(const TransposedAxis& axis, int phase) {
  PhaseAxis p;
  const int place = phase + axis.before;
  p.first_cell = place % axis.stride;
  // A filter smaller than the stride leaves phases without a cell: they get one of zeros.
  const int cells =
      p.first_cell < axis.filter ? (axis.filter - p.first_cell + axis.stride - 1) / axis.stride : 1;
  p.window.in = axis.in;
  p.window.out = (axis.out - phase + axis.stride - 1) / axis.stride;
  p.window.filter = cells;
  p.window.before = cells - 1 - place / axis.stride;
  return p;
}

// [out][cells of h][cells of w][depth] of the filter [out][h][w][depth], turned round.
std::vector<uint8_t> phase_weights(const uint8_t* weights, size_t out_channels, size_t cell_bytes,
                                   const TransposedAxis& h, const TransposedAxis& w,
                                   const PhaseAxis& ph, const PhaseAxis& pw, uint8_t zero) {
  const size_t height = static_cast<size_t>(ph.window.filter);
  const size_t width = static_cast<size_t>(pw.window.filter);
  std::vector<uint8_t> phase(out_channels * height * width * cell_bytes, zero);
  const size_t filter = static_cast<size_t>(h.filter) * static_cast<size_t>(w.filter) * cell_bytes;
  uint8_t* to = phase.data();
  for (size_t n = 0; n < out_channels; ++n) {
    for (int i = ph.window.filter; i-- > 0;) {
      for (int j = pw.window.filter; j-- > 0; to += cell_bytes) {
        const int y = ph.first_cell + i * h.stride, x = pw.first_cell + j * w.stride;
        if (y >= h.filter || x >= w.filter) continue;
        const size_t cell =
            static_cast<size_t>(y) * static_cast<size_t>(w.filter) + static_cast<size_t>(x);
        std::memcpy(to, weights + n * filter + cell * cell_bytes, cell_bytes);
      }
    }
  }
  return phase;
}

}  // namespace

Status prepare_transposed(PrepareContext& op, const TransposedAxis& h, const TransposedAxis& w,
                          MatrixSpec spec, Transposed* state) {
  const Value& x = op.in(spec.operands.x);
  const Value& filter = op.in(spec.operands.w);
  EDGE_TRY(op.expect_known(spec.operands.w));
  const size_t depth = static_cast<size_t>(x.spec.shape[3]);
  const size_t out_channels = static_cast<size_t>(filter.spec.shape[0]);
  const size_t cell_bytes = depth * dtype_size(filter.spec.dtype);
  const uint8_t zero =
      filter.spec.dtype == DType::kUInt8 ? static_cast<uint8_t>(filter.spec.zero_point()) : 0;
  const size_t row = static_cast<size_t>(w.out), picture = row * static_cast<size_t>(h.out);
  // Strides beyond the output have no pixels.
  const int phases_h = std::min(h.stride, h.out), phases_w = std::min(w.stride, w.out);
  // Each takes memory, whatever it has to compute.
  const int64_t phases = int64_t{phases_h} * phases_w;
  if (phases > std::clamp<int64_t>(int64_t{h.filter} * w.filter, 16, 4096)) {
    return unsupported(format("strides of %d and %d for a filter of %d x %d", h.stride, w.stride,
                              h.filter, w.filter));
  }
  for (int y = 0; y < phases_h; ++y) {
    for (int x_phase = 0; x_phase < phases_w; ++x_phase) {
      const PhaseAxis ph = phase_of(h, y), pw = phase_of(w, x_phase);
      state->phases.emplace_back();
      Matrix& m = state->phases.back();
      Picture& p = m.windows.picture;
      p.h = ph.window;
      p.w = pw.window;
      p.batches = x.spec.shape[0];
      p.cell_bytes = depth * dtype_size(x.spec.dtype);
      m.depth = depth;
      m.out_channels = out_channels;
      m.placement.first = static_cast<size_t>(y) * row + static_cast<size_t>(x_phase);
      m.placement.step = static_cast<size_t>(w.stride);
      m.placement.row = row * static_cast<size_t>(h.stride);
      m.placement.picture = picture;
      m.placement.dense = h.stride == 1 && w.stride == 1;
      const std::vector<uint8_t> weights =
          phase_weights(filter.data.data(), out_channels, cell_bytes, h, w, ph, pw, zero);
      spec.weights = weights.data();
      spec.taps = p.taps();
      EDGE_TRY(prepare_matrix(op, spec, &m));
    }
  }
  return {};
}

void eval_transposed(const EvalContext& run, size_t input) {
  for (const Matrix& m : run.state<Transposed>().phases) run_matrix(run, m, input);
}

int64_t transposed_macs(const OpView& op, const Operands& operands) {
  const Shape &x = op.in(operands.x).spec.shape, &w = op.in(operands.w).spec.shape;
  return x.count() * w.count(0, 3);
}

}  // namespace edge
