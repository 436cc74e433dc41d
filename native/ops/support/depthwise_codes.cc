#include "ops/support/depthwise_codes.h"

#include <algorithm>
#include <cstring>

#include "ops/support/int4.h"

namespace edge {
namespace {

constexpr size_t kBlock = 16;

size_t width(const DepthwiseCodes& s) { return (s.channels + kBlock - 1) / kBlock * kBlock; }

// acc[c] += x[c / multiplier] * w[c]; x may be read a block past its end.
void add_tap(const DepthwiseCodes& s, const int8_t* x, const int16_t* w, uint32_t* acc) {
  if (s.multiplier == 1) {
    for (size_t c = 0; c < s.channels; c += kBlock) {
      for (size_t j = 0; j < kBlock; ++j) acc[c + j] += static_cast<uint32_t>(x[c + j] * w[c + j]);
    }
    return;
  }
  for (size_t c = 0; c < s.channels; ++c) {
    acc[c] += static_cast<uint32_t>(x[c / s.multiplier] * w[c]);
  }
}

}  // namespace

Status prepare_depthwise_codes(PrepareContext& op, const Picture& picture, Activation activation,
                               DepthwiseCodes* s) {
  const Value& w = op.in(1);
  s->channels = static_cast<size_t>(w.spec.shape[3]);
  s->multiplier = s->channels / static_cast<size_t>(op.in(0).spec.shape[3]);
  s->picture = picture;
  s->hybrid.asymmetric = true;
  EDGE_TRY(prepare_hybrid(op, s->channels, activation, &s->picture, &s->hybrid));
  std::vector<uint8_t> unpacked;
  const uint8_t* bytes = bytes_of_codes(w, &unpacked);
  const size_t taps = s->picture.taps(), stride = width(*s);
  s->hybrid.sums.assign(s->channels, 0);
  s->weights.assign(taps * stride, 0);
  for (size_t t = 0; t < taps; ++t) {
    for (size_t c = 0; c < s->channels; ++c) {
      const int8_t value = static_cast<int8_t>(bytes[t * s->channels + c]);
      s->weights[t * stride + c] = value;
      s->hybrid.sums[c] += static_cast<uint32_t>(value);
    }
  }
  op.packed_bytes = s->weights.size() * sizeof(int16_t);
  op.scratch_per_worker = (Bytes(stride) * sizeof(int32_t)).count();
  return {};
}

void run_depthwise_codes(const EvalContext& run, const DepthwiseCodes& s) {
  const Picture& p = s.picture;
  if (p.out_pixels() == 0) return;
  const int8_t* codes = encode_pictures(run, s.hybrid);
  const size_t rows = static_cast<size_t>(p.h.out), cols = static_cast<size_t>(p.w.out);
  const size_t filter_h = static_cast<size_t>(p.h.filter);
  const size_t filter_w = static_cast<size_t>(p.w.filter);
  const size_t down = static_cast<size_t>(p.h.stride), right = static_cast<size_t>(p.w.stride);
  const size_t below = static_cast<size_t>(p.h.dilation),
               beside = static_cast<size_t>(p.w.dilation);
  run.pool().run(static_cast<size_t>(p.batches) * rows, [&](size_t row, int worker) {
    uint32_t* acc = reinterpret_cast<uint32_t*>(run.scratch(worker));
    const size_t b = row / rows, oy = row % rows;
    uint8_t* out = run.out<uint8_t>(0) + row * cols * s.channels * sizeof(float);
    for (size_t ox = 0; ox < cols; ++ox) {
      std::fill_n(acc, width(s), 0u);
      const int16_t* w = s.weights.data();
      for (size_t fy = 0; fy < filter_h; ++fy) {
        const int8_t* x = codes + b * s.hybrid.picture + (oy * down + fy * below) * s.hybrid.row +
                          ox * right * p.cell_bytes;
        for (size_t fx = 0; fx < filter_w; ++fx, w += width(s)) {
          add_tap(s, x + fx * beside * p.cell_bytes, w, acc);
        }
      }
      std::memcpy(out + ox * s.channels * sizeof(float), acc, s.channels * sizeof(float));
    }
    finish_hybrid(run, s.hybrid, row * cols, cols, 0, 0, s.channels, out, s.channels);
  });
}

}  // namespace edge
