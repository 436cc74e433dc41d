#include "ops/support/lstm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/arena.h"
#include "ops/support/sigmoid.h"

namespace edge {
namespace {

bool given(const OpView& op, size_t i) { return i < op.input_count() && op.has_input(i); }

// A vector of floats, or of codes with one scale; appended.
void append(const OpView& op, size_t i, std::vector<float>* out) {
  const Value& v = op.in(i);
  const size_t count = static_cast<size_t>(v.spec.shape.count());
  for (size_t k = 0; k < count; ++k) {
    float value;
    if (v.spec.dtype == DType::kFloat32) {
      std::memcpy(&value, v.data.data() + k * sizeof value, sizeof value);
    } else {
      value = static_cast<float>(static_cast<int8_t>(v.data[k])) * v.spec.scale();
    }
    out->push_back(value);
  }
}

void clip(float limit, float* x, size_t n) {
  if (limit <= 0) return;
  for (size_t i = 0; i < n; ++i) x[i] = std::max(std::min(x[i], limit), -limit);
}

void normalize(const float* norm, const float* bias, float* x, size_t n) {
  float sum = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.f / std::sqrt(squares / static_cast<float>(n) + 1e-8f);
  for (size_t i = 0; i < n; ++i) x[i] = (x[i] - mean) * scale * norm[i] + bias[i];
}

void add_product(const float* a, const float* b, float* sum, size_t n) {
  for (size_t i = 0; i < n; ++i) sum[i] += a[i] * b[i];
}

// The gates of one batch, from their sums; `sum` holds i (if any), f, c and o.
void finish_gates(const Lstm& l, float* sum, float* cell, float* hidden) {
  const size_t n = l.sizes.cells;
  float* i = sum;
  float* f = sum + (l.sizes.has_input_gate ? n : 0);
  float *c = f + n, *o = f + 2 * n;
  const auto norm = [&](float* gate) {
    const size_t at = static_cast<size_t>(gate - sum);
    if (!l.norm.empty()) normalize(&l.norm[at], &l.norm_bias[at], gate, n);
  };
  if (!l.peephole.empty()) {
    if (l.sizes.has_input_gate) add_product(l.peephole.data(), cell, i, n);
    add_product(l.peephole.data() + static_cast<size_t>(f - sum), cell, f, n);
  }
  if (l.sizes.has_input_gate) norm(i);
  norm(f);
  norm(c);
  sigmoid(sum, l.sizes.has_input_gate ? 2 * n : n);
  activate(l.options.activation, c, n);
  if (l.sizes.has_input_gate) {
    for (size_t k = 0; k < n; ++k) cell[k] = f[k] * cell[k] + i[k] * c[k];
  } else {
    for (size_t k = 0; k < n; ++k) cell[k] = f[k] * cell[k] + (1.f - f[k]) * c[k];
  }
  clip(l.options.cell_clip, cell, n);
  if (!l.peephole.empty()) {
    add_product(l.peephole.data() + static_cast<size_t>(c - sum), cell, o, n);
  }
  norm(o);
  sigmoid(o, n);
  std::copy_n(cell, n, hidden);
  activate(l.options.activation, hidden, n);
  for (size_t k = 0; k < n; ++k) hidden[k] *= o[k];
}

// One step of all batches, whose inputs are in `sums` already.
void step(const EvalContext& run, const Lstm& l, float* sums) {
  const LstmSizes& s = l.sizes;
  uint8_t* scratch = run.shared_scratch() + l.product_at;
  float* state = run.variable<float>(l.at.output_state);
  const size_t width = s.gates() * s.cells;
  if (l.diagonal.empty()) {
    float* recurrent = reinterpret_cast<float*>(run.shared_scratch() + l.sums_at);
    l.recurrent.run(state, s.outputs, s.batches, recurrent, scratch);
    for (size_t k = 0; k < s.batches * width; ++k) sums[k] += recurrent[k];
  } else {
    for (size_t b = 0; b < s.batches; ++b) {
      for (size_t g = 0; g < s.gates(); ++g) {
        add_product(&l.diagonal[g * s.cells], state + b * s.cells, sums + b * width + g * s.cells,
                    s.cells);
      }
    }
  }
  float* hidden = reinterpret_cast<float*>(run.shared_scratch() + l.hidden_at);
  float* cell = run.variable<float>(l.at.cell_state);
  for (size_t b = 0; b < s.batches; ++b) {
    finish_gates(l, sums + b * width, cell + b * s.cells, hidden + b * s.cells);
  }
  if (l.projection.empty()) {
    std::copy_n(hidden, s.batches * s.outputs, state);
    return;
  }
  l.projection.run(hidden, s.cells, s.batches, state, scratch);
  clip(l.options.proj_clip, state, s.batches * s.outputs);
}

}  // namespace

Status prepare_lstm(PrepareContext& op, const LstmInputs& at, const LstmOptions& options, Lstm* l) {
  l->at = at;
  l->options = options;
  EDGE_ASSIGN(l->sizes, lstm_sizes(op, at, options.time_major));
  const LstmSizes& s = l->sizes;
  if (options.activation == Activation::kSignBit) return unsupported("activation SIGN_BIT");
  if (!(options.cell_clip >= 0) || !(options.proj_clip >= 0)) {
    return invalid_model("a limit below 0");
  }
  if (s.cells == 0 || s.inputs == 0 || s.outputs == 0) return invalid_model("it has no cells");
  std::vector<size_t> input, recurrent, extra;
  std::vector<float> bias;
  for (size_t gate = s.first_gate(); gate < 4; ++gate) {
    input.push_back(at.input_weights(gate));
    recurrent.push_back(at.recurrent(gate));
    extra.push_back(at.extra + gate);
    append(op, at.bias(gate), &bias);
    if (at.norms && given(op, at.norms + 1)) append(op, at.norms + gate, &l->norm);
    if (op.in(at.recurrent(gate)).spec.shape.rank() == 1) {
      append(op, at.recurrent(gate), &l->diagonal);
    }
  }
  if (!l->norm.empty()) l->norm_bias.swap(bias);
  EDGE_TRY(l->input.prepare(op, input, bias, options.asymmetric));
  if (l->diagonal.empty()) EDGE_TRY(l->recurrent.prepare(op, recurrent, {}, options.asymmetric));
  if (at.auxiliary && given(op, at.auxiliary) && given(op, at.extra + 1)) {
    EDGE_TRY(l->auxiliary.prepare(op, extra, {}, options.asymmetric));
  }
  for (size_t i = s.first_gate(); i < 3 && given(op, at.peephole(2)); ++i) {
    append(op, at.peephole(i), &l->peephole);
  }
  if (given(op, at.projection())) {
    std::vector<float> offset;
    if (given(op, at.projection_bias())) append(op, at.projection_bias(), &offset);
    EDGE_TRY(l->projection.prepare(op, {at.projection()}, offset, options.asymmetric));
  }
  const TensorSpec& y = op.out(0).spec;
  l->output_width = static_cast<size_t>(y.shape[y.shape.rank() - 1]);
  // With one batch, rows of consecutive steps lie at the same distance: they share the weights.
  l->block = s.batches == 1 ? std::min<size_t>(std::max<size_t>(s.steps, 1), 32) : 1;
  const size_t rows = l->block * s.batches;
  const Bytes cells = Bytes(s.cells) * sizeof(float);
  l->sums_at = align_up(cells * s.gates() * rows + kOverread);
  l->hidden_at = (Bytes(l->sums_at) + l->sums_at).count();
  l->product_at = (l->hidden_at + Bytes(align_up(cells * s.batches + kOverread))).count();
  size_t most = 0;
  for (const RowProduct* p : {&l->input, &l->auxiliary, &l->recurrent, &l->projection}) {
    most = std::max(most, p->scratch_bytes(rows));
  }
  l->scratch = (Bytes(l->product_at) + most).count();
  op.scratch_shared = std::max(op.scratch_shared, l->scratch);
  return {};
}

void run_lstm(const EvalContext& run, const Lstm& l, float* out) {
  const LstmSizes& s = l.sizes;
  uint8_t* scratch = run.shared_scratch() + l.product_at;
  float* sums = reinterpret_cast<float*>(run.shared_scratch());
  float* more = reinterpret_cast<float*>(run.shared_scratch() + l.sums_at);
  const float* state = run.variable<float>(l.at.output_state);
  const size_t batch_step = l.options.time_major ? 1 : s.steps;  // in rows
  const size_t time_step = l.options.time_major ? s.batches : 1;
  const size_t width = s.gates() * s.cells;
  const auto multiply = [&](const RowProduct& p, const float* x, size_t t, size_t count, float* y) {
    const size_t rows = s.batches == 1 ? count : s.batches;
    const size_t step_of_rows = s.batches == 1 ? time_step : batch_step;
    p.run(x + t * time_step * p.depth(), step_of_rows * p.depth(), rows, y, scratch);
  };
  for (size_t done = 0; done < s.steps; done += l.block) {
    const size_t count = std::min(l.block, s.steps - done);
    const size_t first = l.options.backward ? s.steps - done - count : done;
    multiply(l.input, run.in<float>(l.at.input), first, count, sums);
    if (!l.auxiliary.empty()) {
      multiply(l.auxiliary, run.in<float>(l.at.auxiliary), first, count, more);
      for (size_t k = 0; k < count * s.batches * width; ++k) sums[k] += more[k];
    }
    for (size_t j = 0; j < count; ++j) {
      const size_t t = l.options.backward ? first + count - 1 - j : first + j;
      step(run, l, sums + (t - first) * width);
      for (size_t b = 0; b < s.batches; ++b) {
        std::copy_n(state + b * s.outputs, s.outputs,
                    out + (t * time_step + b * batch_step) * l.output_width);
      }
    }
  }
}

}  // namespace edge
