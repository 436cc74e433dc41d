// CUSTOM:Mfcc: mel-frequency cepstral coefficients of power spectra [channels, n, bins]: magnitudes
// in overlapping triangles that are even on the mel scale, their logarithms, and the first of
// those' cosine transform. Input 1 is the sample rate.
#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ops/support/options.h"

namespace edge {
namespace {

constexpr double kLeast = 1e-12;    // of a band, for its logarithm
constexpr int32_t kMost = 1 << 14;  // bands

struct Options {
  int32_t high = 0, low = 0;  // Hz
  int32_t bands = 0, coefficients = 0;
};

// A bin counts by `weight` for band `band`, and by the rest for the next one.
struct Bin {
  int32_t band;
  double weight;
};

struct State {
  int64_t spectra = 0, bins = 0;
  Options options;
  size_t first = 0;
  std::vector<Bin> used;        // from `first` on
  std::vector<double> cosines;  // [coefficients, bands]
};

Result<Options> read_options(const OpView& op) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(op.node().custom_options));
  Options o;
  EDGE_TRY(read_integer(map, "upper_frequency_limit", 1, INT32_MAX, &o.high));
  EDGE_TRY(read_integer(map, "lower_frequency_limit", 0, o.high - 1, &o.low));
  EDGE_TRY(read_integer(map, "filterbank_channel_count", 1, kMost, &o.bands));
  EDGE_TRY(read_integer(map, "dct_coefficient_count", 1, o.bands, &o.coefficients));
  if (int64_t{o.bands} * o.coefficients > 1 << 22) return unsupported("so many coefficients");
  return o;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return read_options(op).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Options o, read_options(op));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 3 || x[2] < 2) return invalid_model(format("spectra %s", to_string(x).c_str()));
  (*shapes)[0] = {x[0], x[1], o.coefficients};
  return {};
}

double mel(double frequency) { return 1127 * std::log1p(frequency / 700); }

// The bins of [low, high], but never the first, by the bands that they lie in.
void make_bands(double rate, State* s) {
  const Options& o = s->options;
  const double low = mel(o.low), step = (mel(o.high) - low) / (o.bands + 1);
  const auto centre = [&](int32_t band) { return low + step * (band + 1); };
  const double width = 0.5 * rate / static_cast<double>(s->bins - 1);  // Hz a bin
  s->first = static_cast<size_t>(1.5 + o.low / width);
  const size_t end = static_cast<size_t>(o.high / width) + 1;
  int32_t next = 0;
  for (size_t i = s->first; i < end; ++i) {
    const double m = mel(static_cast<double>(i) * width);
    while (next < o.bands && centre(next) < m) ++next;
    const double right = centre(next), left = next ? centre(next - 1) : low;
    s->used.push_back({next - 1, (right - m) / (right - left)});
  }
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.options, read_options(op));
  EDGE_ASSIGN(const std::vector<int64_t> rate, op.constant_integers(1));
  const Shape& x = op.in(0).spec.shape;
  s.spectra = int64_t{x[0]} * x[1];
  s.bins = x[2];
  if (rate.size() != 1 || rate[0] < 1)
    return invalid_model("its sample rate is no positive number");
  const Options& o = s.options;
  if (2.0 * o.high * static_cast<double>(s.bins - 1) / static_cast<double>(rate[0]) >=
      static_cast<double>(s.bins)) {
    return invalid_model(format("%d Hz lie above half of the sample rate %lld", o.high,
                                static_cast<long long>(rate[0])));
  }
  make_bands(static_cast<double>(rate[0]), &s);
  constexpr double kPi = 3.14159265358979323846;
  for (int32_t i = 0; i < o.coefficients; ++i) {
    for (int32_t j = 0; j < o.bands; ++j) {
      s.cosines.push_back(std::sqrt(2.0 / o.bands) * std::cos(i * kPi / o.bands * (j + 0.5)));
    }
  }
  op.scratch_per_worker = static_cast<size_t>(o.bands) * sizeof(double);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const Options& o = s.options;
  run.pool().run(static_cast<size_t>(s.spectra), [&](size_t n, int worker) {
    const float* x = run.in<float>(0) + static_cast<int64_t>(n) * s.bins;
    float* y = run.out<float>(0) + n * static_cast<size_t>(o.coefficients);
    double* bands = reinterpret_cast<double*>(run.scratch(worker));
    std::fill_n(bands, o.bands, 0.0);
    for (size_t i = 0; i < s.used.size(); ++i) {
      const auto [band, weight] = s.used[i];
      const double magnitude = std::sqrt(static_cast<double>(x[s.first + i]));
      if (band >= 0) bands[band] += magnitude * weight;
      if (band + 1 < o.bands) bands[band + 1] += magnitude - magnitude * weight;
    }
    for (int32_t j = 0; j < o.bands; ++j) {
      bands[j] = std::log(bands[j] < kLeast ? kLeast : bands[j]);
    }
    for (int32_t i = 0; i < o.coefficients; ++i) {
      const double* cosines = s.cosines.data() + int64_t{i} * o.bands;
      double sum = 0;
      for (int32_t j = 0; j < o.bands; ++j) sum += cosines[j] * bands[j];
      y[i] = static_cast<float>(sum);
    }
  });
}

}  // namespace

extern const OpDef op_mfcc{check, infer, prepare, eval};

}  // namespace edge
