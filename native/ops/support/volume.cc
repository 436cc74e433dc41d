#include "ops/support/volume.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"

namespace edge {
namespace {

constexpr size_t kBlock = 48;          // places that are computed at once
constexpr size_t kManyTaps = 1 << 12;  // where blocks are no larger than the kernel's own
constexpr size_t kMostTaps = 1 << 22;  // whose pointers still fit a device

using Place = std::array<int64_t, 3>;

// [out][taps][in] of the phase, from a filter with its channels in either order.
std::vector<float> phase_weights(const float* filter, const Shape& w, const VolumeSpec& spec,
                                 const Volume::Phase& phase, size_t in, size_t out) {
  std::vector<float> weights(phase.shifts.size() * in * out, 0.f);
  const size_t taps = phase.shifts.size();
  size_t tap = 0;
  for (const PhaseAxis::Cell& d : phase.axes[0].cells) {
    for (const PhaseAxis::Cell& h : phase.axes[1].cells) {
      for (const PhaseAxis::Cell& v : phase.axes[2].cells) {
        const size_t to = tap++ * in;
        const float* cell =
            filter +
            static_cast<size_t>((int64_t{d.index} * w[1] + h.index) * w[2] + v.index) * in * out;
        for (size_t n = 0; n < out; ++n) {
          for (size_t k = 0; k < in; ++k) {
            weights[n * taps * in + to + k] = cell[spec.outputs_last ? k * out + n : n * in + k];
          }
        }
      }
    }
  }
  return weights;
}

Status prepare_phase(PrepareContext& op, const VolumeSpec& spec, const gemm_f32::Kernel& kernel,
                     const FloatRange& range, Volume* v, Volume::Phase* p) {
  if (!p->sees()) {  // one tap, outside of the volume
    p->shifts = {{-1 - int64_t{p->axes[0].count}, 0, 0}};
    for (PhaseAxis& a : p->axes) a.cells.clear();
  }
  for (const PhaseAxis::Cell& d : p->axes[0].cells) {
    for (const PhaseAxis::Cell& h : p->axes[1].cells) {
      for (const PhaseAxis::Cell& w : p->axes[2].cells) {
        p->shifts.push_back({d.shift, h.shift, w.shift});
      }
    }
  }
  const float* filter = reinterpret_cast<const float*>(op.in(spec.w).data.data());
  const float* bias = nullptr;
  if (spec.bias < op.input_count() && op.has_input(spec.bias)) {
    bias = reinterpret_cast<const float*>(op.in(spec.bias).data.data());
  }
  if (p->shifts.size() > kMostTaps) return unsupported("a filter of this size");
  const size_t depth = p->axes[0].cells.empty() ? 1 : v->in_channels;
  const std::vector<float> weights =
      phase_weights(filter, op.in(spec.w).spec.shape, spec, *p, depth, v->out_channels);
  const gemm_f32::Shape shape{v->out_channels, p->shifts.size(), depth};
  p->packed = Arena(gemm_f32::packed_bytes(kernel, shape));
  if (!p->packed.data()) return Status(Code::kResource, "no memory for packed weights");
  float* packed = reinterpret_cast<float*>(p->packed.data());
  gemm_f32::pack(kernel, shape, weights.data(), bias, packed);
  p->layer = {&kernel, shape, packed, range.low, range.high};
  op.packed_bytes += p->packed.size();
  const bool dense =
      std::all_of(p->axes.begin(), p->axes.end(), [](const PhaseAxis& a) { return a.step == 1; });
  size_t places = v->batches;
  for (const PhaseAxis& a : p->axes) places *= static_cast<size_t>(a.count);
  p->line = dense ? places : static_cast<size_t>(p->axes[2].count);
  p->lines = p->line == 0 ? 0 : places / p->line;
  p->block = p->shifts.size() > kManyTaps ? kernel.mr : kBlock;
  op.scratch_per_worker =
      std::max(op.scratch_per_worker, p->shifts.size() * p->block * sizeof(void*));
  return {};
}

// Place `number` of a phase, in the units that its axes count in; the batch.
size_t split(const Volume::Phase& p, size_t number, Place* place) {
  for (size_t a = 3; a-- > 0;) {
    const size_t count = static_cast<size_t>(p.axes[a].count);
    (*place)[a] = static_cast<int64_t>(number % count);
    number /= count;
  }
  return number;
}

void advance(const Volume::Phase& p, Place* place, size_t* batch) {
  for (size_t a = 3; a-- > 0;) {
    if (++(*place)[a] < p.axes[a].count) return;
    (*place)[a] = 0;
  }
  ++*batch;
}

// Places [first, first + rows) of a phase, all in one line.
void run_block(const EvalContext& run, const Volume& v, const Volume::Phase& p, const float* x,
               size_t first, size_t rows, int worker) {
  const float** pointers = reinterpret_cast<const float**>(run.scratch(worker));
  Place place;
  size_t batch = split(p, first, &place);
  int64_t to = static_cast<int64_t>(batch);
  for (size_t a = 0; a < 3; ++a) {
    to = to * v.out[a] + p.axes[a].first + place[a] * p.axes[a].step;
  }
  for (size_t i = 0; i < rows; ++i, advance(p, &place, &batch)) {
    for (size_t t = 0; t < p.shifts.size(); ++t) {
      int64_t from = static_cast<int64_t>(batch);
      bool inside = true;
      for (size_t a = 0; a < 3; ++a) {
        const int64_t at = place[a] * p.axes[a].move + p.shifts[t][a];
        inside = inside && at >= 0 && at < v.in[a];
        from = from * v.in[a] + at;
      }
      pointers[t * p.block + i] =
          inside ? x + from * static_cast<int64_t>(v.in_channels) : v.zeros.data();
    }
  }
  const size_t step = static_cast<size_t>(p.axes[2].step) * v.out_channels;
  gemm_f32::run(p.layer, pointers, p.block, rows, 0, v.out_channels,
                run.out<float>(0) + static_cast<size_t>(to) * v.out_channels, step);
}

}  // namespace

std::vector<PhaseAxis> plain_phases(const WindowAxis& window) {
  PhaseAxis p;
  p.count = window.out;
  p.move = window.stride;
  for (int f = 0; f < window.filter; ++f) {
    p.cells.push_back({f, int64_t{f} * window.dilation - window.before});
  }
  return {p};
}

std::vector<PhaseAxis> transposed_phases(const WindowAxis& window) {
  std::vector<PhaseAxis> phases(static_cast<size_t>(std::min(window.stride, window.in)));
  for (size_t i = 0; i < phases.size(); ++i) {
    PhaseAxis& p = phases[i];
    p.first = static_cast<int>(i);
    p.step = window.stride;
    p.count = static_cast<int>((int64_t{window.in} - p.first + window.stride - 1) / window.stride);
    for (int f = 0; f < window.filter; ++f) {
      const int64_t at = int64_t{p.first} + window.before - int64_t{f} * window.dilation;
      if (at % window.stride == 0) p.cells.push_back({f, at / window.stride});
    }
    if (p.cells.empty()) p.cells.push_back({-1, -1 - int64_t{p.count}});
  }
  return phases;
}

Status check_volume(const OpView& op, size_t x, size_t w, size_t bias) {
  EDGE_TRY(op.expect_arity(bias, bias + 1, 1));
  EDGE_TRY(op.expect_input(x, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(w, {DType::kFloat32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  if (bias < op.input_count() && op.has_input(bias)) {
    EDGE_TRY(op.expect_input(bias, {DType::kFloat32}));
  }
  return {};
}

Status prepare_volume(PrepareContext& op, const VolumeSpec& spec, Volume* v) {
  EDGE_TRY(op.expect_known(spec.w));
  if (spec.bias < op.input_count() && op.has_input(spec.bias)) EDGE_TRY(op.expect_known(spec.bias));
  const Shape &x = op.in(spec.x).spec.shape, &y = op.out(0).spec.shape;
  v->batches = static_cast<size_t>(x[0]);
  v->in_channels = static_cast<size_t>(x[4]);
  v->out_channels = static_cast<size_t>(y[4]);
  for (size_t a = 0; a < 3; ++a) {
    v->in[a] = x[static_cast<int>(a) + 1];
    v->out[a] = y[static_cast<int>(a) + 1];
  }
  v->zeros.assign(v->in_channels + kOverread / sizeof(float), 0.f);
  if (spec.bias < op.input_count() && op.has_input(spec.bias) &&
      op.in(spec.bias).spec.shape.count() != y[4]) {
    return invalid_model(format("it has %lld biases for %d channels",
                                static_cast<long long>(op.in(spec.bias).spec.shape.count()), y[4]));
  }
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm_f32::Kernel& kernel =
      op.choose(gemm_f32::select(features), gemm_f32::kernels, features);
  EDGE_ASSIGN(const FloatRange range, activation_range(spec.activation));
  // Each phase takes memory, whatever it has to compute.
  const double phases = static_cast<double>(spec.axes[0].size()) *
                        static_cast<double>(spec.axes[1].size()) *
                        static_cast<double>(spec.axes[2].size());
  const double cells = static_cast<double>(op.in(spec.w).spec.shape.count(0, 3));
  if (phases > std::clamp(cells, 64., 4096.)) return unsupported("strides as large as this");
  for (const PhaseAxis& d : spec.axes[0]) {
    for (const PhaseAxis& h : spec.axes[1]) {
      for (const PhaseAxis& w : spec.axes[2]) {
        v->phases.push_back(std::make_unique<Volume::Phase>());
        v->phases.back()->axes = {d, h, w};
        EDGE_TRY(prepare_phase(op, spec, kernel, range, v, v->phases.back().get()));
      }
    }
  }
  return {};
}

void run_volume(const EvalContext& run, const Volume& v, size_t x) {
  for (const auto& phase : v.phases) {
    const Volume::Phase& p = *phase;
    const size_t blocks = (p.line + p.block - 1) / p.block;
    run.pool().run(p.lines * blocks, [&](size_t i, int worker) {
      const size_t begin = i % blocks * p.block;
      run_block(run, v, p, run.in<float>(x), i / blocks * p.line + begin,
                std::min(p.block, p.line - begin), worker);
    });
  }
}

}  // namespace edge
