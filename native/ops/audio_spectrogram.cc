// CUSTOM:AudioSpectrogram: the power, or else the magnitude, of each frequency in each window of
// samples [n, channels], as [channels, windows, bins]. Windows are periodic Hann windows, filled up
// with zeros to a power of two.
#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ops/support/fft.h"
#include "ops/support/options.h"

namespace edge {
namespace {

struct State {
  int64_t channels = 0, windows = 0;
  int32_t stride = 0;
  bool squared = false;
  std::vector<double> window;
  RealFft fft;
};

struct Options {
  int32_t size = 0, stride = 0;
  bool squared = false;
};

Result<Options> read_options(const OpView& op) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(op.node().custom_options));
  Options o;
  EDGE_TRY(read_integer(map, "window_size", 2, Fft::kMost, &o.size));
  EDGE_TRY(read_integer(map, "stride", 1, INT32_MAX, &o.stride));
  EDGE_ASSIGN(const std::optional<double> squared, map.number("magnitude_squared"));
  o.squared = squared.value_or(0) != 0;
  return o;
}

int32_t fft_size(int32_t window) {
  int32_t n = 2;
  while (n < window) n *= 2;
  return n;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return read_options(op).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Options o, read_options(op));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 2) return invalid_model(format("samples %s", to_string(x).c_str()));
  const int32_t windows = x[0] < o.size ? 0 : 1 + (x[0] - o.size) / o.stride;
  (*shapes)[0] = {x[1], windows, fft_size(o.size) / 2 + 1};
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const Options o, read_options(op));
  State& s = op.make_state<State>();
  s.channels = op.out(0).spec.shape[0];
  s.windows = op.out(0).spec.shape[1];
  s.stride = o.stride;
  s.squared = o.squared;
  s.fft = RealFft(static_cast<size_t>(fft_size(o.size)));
  constexpr double kPi = 3.14159265358979323846;
  for (int32_t i = 0; i < o.size; ++i)
    s.window.push_back(0.5 - 0.5 * std::cos(2 * kPi * i / o.size));
  op.scratch_per_worker = s.fft.outputs() * sizeof(Complex);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const size_t bins = s.fft.outputs();
  run.pool().run(static_cast<size_t>(s.channels * s.windows), [&](size_t i, int worker) {
    const int64_t channel = static_cast<int64_t>(i) / s.windows;
    const int64_t first = static_cast<int64_t>(i) % s.windows * s.stride;
    Complex* work = reinterpret_cast<Complex*>(run.scratch(worker));
    std::fill_n(work, bins, Complex{});
    for (size_t k = 0; k < s.window.size(); ++k) {
      const float sample =
          run.in<float>(0)[(first + static_cast<int64_t>(k)) * s.channels + channel];
      (k % 2 ? work[k / 2].im : work[k / 2].re) = static_cast<double>(sample) * s.window[k];
    }
    s.fft.run(work);
    float* y = run.out<float>(0) + i * bins;
    for (size_t k = 0; k < bins; ++k) {
      const float power = static_cast<float>(work[k].re * work[k].re + work[k].im * work[k].im);
      y[k] = s.squared ? power : std::sqrt(power);
    }
  });
}

}  // namespace

extern const OpDef op_audio_spectrogram{check, infer, prepare, eval};

}  // namespace edge
