#include "ops/support/integer_lstm.h"

#include <algorithm>
#include <cmath>

#include "base/arena.h"
#include "ops/support/fixed_point.h"
#include "ops/support/inverse_root.h"
#include "ops/support/quantize.h"
#include "ops/support/short_sigmoid.h"

namespace edge {
namespace {

bool given(const OpView& op, size_t i) { return i < op.input_count() && op.has_input(i); }

bool has_norms(const OpView& op, const LstmInputs& at) {
  return at.norms != 0 && given(op, at.norms + 1);
}

int16_t short_of(int32_t x) { return static_cast<int16_t>(std::clamp(x, -32768, 32767)); }

int32_t wrapping_product(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

// sum = saturate(sum + R(acc)).
void accumulate(const requantize::Multiplier& m, const int32_t* acc, size_t n, int16_t* sum) {
  for (size_t k = 0; k < n; ++k) {
    const int32_t v = requantize::double_round(acc[k], m.m, m.e);
    sum[k] = short_of(requantize::wrapping_add(v, sum[k]));
  }
}

void normalize(const IntegerLstm::Gate& gate, int16_t* x, size_t n) {
  int64_t sum = 0, squares = 0;
  for (size_t k = 0; k < n; ++k) {
    sum += x[k];
    squares += x[k] * x[k];
  }
  const int32_t count = static_cast<int32_t>(n);
  const int32_t mean = static_cast<int32_t>(sum * 1024 / count);
  const int64_t spread = squares * ((1 << 20) / count) - int64_t{mean} * mean;
  int32_t variance = static_cast<int32_t>(spread / (1 << 20));
  if (variance < 1) variance = gate.variance_guard;
  const requantize::Multiplier inverse = inverse_root(variance);
  for (size_t k = 0; k < n; ++k) {
    const int32_t scaled =
        requantize::double_round(1024 * x[k] - mean, inverse.m, std::max(inverse.e, -31));
    const int64_t v =
        requantize::wrapping_add(wrapping_product(scaled, gate.norms[k]), gate.norm_bias[k]);
    const int32_t rounded = static_cast<int32_t>((v > 0 ? v + 512 : v - 512) / 1024);
    x[k] = short_of(requantize::double_round(rounded, gate.norm.m, gate.norm.e));
  }
}

// x / 2^n, rounded half away from zero, cut to 16 bits.
int16_t divide(int32_t x, int n) {
  if (n == 0) return static_cast<int16_t>(x);
  return static_cast<int16_t>((int64_t{x} + (int64_t{1} << (n - 1)) - (x < 0)) >> n);
}

// Adds the peepholes' products, normalizes and activates one gate of `rows` rows.
void finish_gate(const IntegerLstm& l, size_t which, const int16_t* cell, size_t rows,
                 int16_t* gate) {
  const IntegerLstm::Gate& g = l.gates[which];
  const size_t n = l.sizes.cells;
  if (g.peepholes) {
    // As many products as there are outputs: with a projection, the reference leaves some out.
    const size_t count = std::min(l.sizes.outputs, n);
    for (size_t k = 0; k < rows * count; ++k) {
      const int32_t v =
          requantize::double_round(g.peepholes[k % count] * cell[k], g.peephole.m, g.peephole.e);
      gate[k] = short_of(requantize::wrapping_add(v, gate[k]));
    }
  }
  for (size_t b = 0; b < rows && g.norms; ++b) normalize(g, gate + b * n, n);
  for (size_t k = 0; k < rows * n; ++k) {
    gate[k] = which == 2 ? short_tanh(gate[k], 3) : short_sigmoid(gate[k]);
  }
}

// One step of `rows` batches from batch `first` on; `x` is their input.
void step(const EvalContext& run, const IntegerLstm& l, const int8_t* x, size_t x_step,
          size_t first, size_t rows) {
  const LstmSizes& s = l.sizes;
  const size_t n = s.cells, all = rows * n;
  uint8_t* memory = run.shared_scratch();
  int32_t* sums = reinterpret_cast<int32_t*>(memory);
  int16_t* gates = reinterpret_cast<int16_t*>(memory + l.gates_at);
  int8_t* state = run.variable<int8_t>(l.at.output_state) + first * s.outputs;
  int16_t* cell = run.variable<int16_t>(l.at.cell_state) + first * n;
  std::fill_n(gates, 4 * all, int16_t{0});
  const auto add = [&](bool recurrent) {
    for (size_t b = 0; b < rows; ++b) {
      for (size_t g = s.first_gate(); g < 4; ++g) {
        const IntegerLstm::Gate& gate = l.gates[g];
        accumulate(recurrent ? gate.recurrent : gate.input,
                   sums + (b * s.gates() + g - s.first_gate()) * n, n, gates + g * all + b * n);
      }
    }
  };
  l.input.run(x, x_step, rows, sums, memory + l.product_at);
  add(false);
  l.recurrent.run(state, s.outputs, rows, sums, memory + l.product_at);
  add(true);
  int16_t *i = gates, *f = gates + all, *c = gates + 2 * all, *o = gates + 3 * all;
  if (s.has_input_gate) finish_gate(l, 0, cell, rows, i);
  finish_gate(l, 1, cell, rows, f);
  finish_gate(l, 2, cell, rows, c);
  const int shift = 15 + l.cell_bits;
  for (size_t k = 0; k < all; ++k) {
    const int32_t input = s.has_input_gate ? i[k] : INT16_MAX - f[k];
    const int16_t kept = divide(f[k] * cell[k], 15), added = divide(input * c[k], shift);
    cell[k] = short_of(kept + added);
    if (l.cell_clip > 0) cell[k] = std::clamp<int16_t>(cell[k], -l.cell_clip, l.cell_clip);
  }
  finish_gate(l, 3, cell, rows, o);
  int8_t* hidden = l.projection.empty() ? state : reinterpret_cast<int8_t*>(memory + l.hidden_at);
  for (size_t k = 0; k < all; ++k) {
    const int32_t v =
        requantize::double_round(o[k] * short_tanh(cell[k], l.cell_bits), l.hidden.m, l.hidden.e);
    hidden[k] =
        static_cast<int8_t>(std::clamp(requantize::wrapping_add(v, l.hidden_zero), -128, 127));
  }
  if (l.projection.empty()) return;
  l.projection.run(hidden, n, rows, sums, memory + l.product_at);
  for (size_t k = 0; k < rows * s.outputs; ++k) {
    const int32_t v = requantize::double_round(sums[k], l.projected.m, l.projected.e);
    state[k] =
        static_cast<int8_t>(std::clamp(requantize::wrapping_add(v, l.state_zero), -128, 127));
    if (l.proj_clip > 0) state[k] = std::clamp<int8_t>(state[k], -l.proj_clip, l.proj_clip);
  }
}

Result<requantize::Multiplier> multiplier(float value, int more = 0) {
  EDGE_ASSIGN(requantize::Multiplier m, fixed_point(static_cast<double>(value)));
  m.e += more;
  if (m.e > 31) return invalid_model("its scales give a multiplier above 2^31");
  m.e = std::max(m.e, -31);
  return m;
}

template <typename T>
const T* constant(const OpView& op, size_t i) {
  return reinterpret_cast<const T*>(op.in(i).data.data());
}

Status prepare_gate(const OpView& op, const LstmInputs& at, size_t which, float intermediate,
                    IntegerLstm* l) {
  IntegerLstm::Gate& g = l->gates[which];
  const float x = op.in(0).spec.scale(), h = op.in(at.output_state).spec.scale();
  EDGE_ASSIGN(g.input, multiplier(op.in(at.input_weights(which)).spec.scale() * x / intermediate));
  EDGE_ASSIGN(g.recurrent, multiplier(op.in(at.recurrent(which)).spec.scale() * h / intermediate));
  const size_t peephole = at.peephole(which == 3 ? 2 : which);
  if (which != 2 && given(op, at.peephole(2))) {
    g.peepholes = constant<int16_t>(op, peephole);
    const double scale = std::ldexp(1., l->cell_bits - 15) *
                         static_cast<double>(op.in(peephole).spec.scale()) /
                         static_cast<double>(intermediate);
    EDGE_ASSIGN(g.peephole, multiplier(static_cast<float>(scale)));
  }
  if (!has_norms(op, at)) return {};
  EDGE_TRY(check_scales(op.in(at.norms + which).spec.quant, "a norm"));
  const float norm = op.in(at.norms + which).spec.scale();
  g.norms = constant<int16_t>(op, at.norms + which);
  g.norm_bias = constant<int32_t>(op, at.bias(which));
  EDGE_ASSIGN(g.norm, multiplier(norm, 12));
  g.variance_guard = static_cast<int32_t>(std::clamp(10000 * norm, 1.f, 1e9f));
  return {};
}

// The quantization of intermediate tensor i.
Result<const TensorSpec*> intermediate(const OpView& op, size_t i) {
  const std::vector<int>& all = op.node().intermediates;
  if (i >= all.size() || all[i] == kAbsent) {
    return unsupported("integer cells without the scales of intermediate results");
  }
  const TensorSpec& s = op.graph().values[static_cast<size_t>(all[i])].spec;
  EDGE_TRY(check_scales(s.quant, "an intermediate result"));
  return &s;
}

}  // namespace

Status prepare_integer_lstm(PrepareContext& op, const LstmInputs& at, const LstmOptions& options,
                            IntegerLstm* l) {
  l->at = at;
  l->options = options;
  EDGE_ASSIGN(l->sizes, lstm_sizes(op, at, options.time_major));
  const LstmSizes& s = l->sizes;
  if (s.cells == 0 || s.inputs == 0 || s.outputs == 0) return invalid_model("it has no cells");
  if (!(options.cell_clip >= 0) || !(options.proj_clip >= 0)) {
    return invalid_model("a limit below 0");
  }
  const TensorSpec &x = op.in(0).spec, &h = op.in(at.output_state).spec;
  const TensorSpec& c = op.in(at.cell_state).spec;
  EDGE_TRY(op.expect_quantized(op.in(0)));
  EDGE_TRY(op.expect_quantized(op.in(at.output_state)));
  EDGE_TRY(check_scales(c.quant, "its cells"));
  const double bits = std::log2(static_cast<double>(c.scale()));
  if (std::abs(bits - std::round(bits)) >= 1e-3) {
    return invalid_model("the scale of its cells is no power of two");
  }
  l->cell_bits = static_cast<int>(std::round(bits)) + 15;
  if (l->cell_bits < 0 || l->cell_bits > 6) return unsupported("cells of this scale");
  for (size_t g = s.first_gate(); g < 4; ++g) {
    float scale = 1.f / 4096;
    if (has_norms(op, at)) {
      EDGE_ASSIGN(const TensorSpec* i, intermediate(op, g));
      scale = i->scale();
    }
    EDGE_TRY(prepare_gate(op, at, g, scale, l));
  }
  l->hidden_zero = h.zero_point();
  l->state_zero = h.zero_point();
  EDGE_ASSIGN(const TensorSpec* hidden, intermediate(op, 4));
  const double hidden_scale = std::ldexp(1., -15) / static_cast<double>(hidden->scale());
  EDGE_ASSIGN(l->hidden, multiplier(static_cast<float>(hidden_scale * std::ldexp(1., -15))));
  l->hidden_zero = hidden->zero_point();
  l->cell_clip = static_cast<int16_t>(std::min(options.cell_clip / c.scale(), 32767.f));
  l->proj_clip = static_cast<int8_t>(std::min(options.proj_clip / op.out(0).spec.scale(), 127.f));
  std::vector<size_t> input, recurrent;
  std::vector<int32_t> bias;
  for (size_t g = s.first_gate(); g < 4; ++g) {
    input.push_back(at.input_weights(g));
    recurrent.push_back(at.recurrent(g));
    if (has_norms(op, at)) continue;  // added after normalization
    const int32_t* b = constant<int32_t>(op, at.bias(g));
    bias.insert(bias.end(), b, b + s.cells);
  }
  EDGE_TRY(l->input.prepare_codes(op, input, x.zero_point(), bias));
  EDGE_TRY(l->recurrent.prepare_codes(op, recurrent, h.zero_point(), {}));
  if (given(op, at.projection())) {
    EDGE_ASSIGN(l->projected,
                multiplier(op.in(at.projection()).spec.scale() * hidden->scale() / h.scale()));
    std::vector<int32_t> offset;
    if (given(op, at.projection_bias())) {
      const int32_t* b = constant<int32_t>(op, at.projection_bias());
      offset.assign(b, b + s.outputs);
    }
    // The reference takes the zero point with the other sign, both here and in the codes.
    l->hidden_zero = -l->hidden_zero;
    EDGE_TRY(l->projection.prepare_codes(op, {at.projection()}, l->hidden_zero, offset));
  }
  const size_t rows = s.batches;
  const Bytes cells = Bytes(rows) * s.cells;
  const size_t sums = std::max((cells * s.gates()).count(), (Bytes(rows) * s.outputs).count());
  l->gates_at = align_up(Bytes(sums) * sizeof(int32_t));
  l->hidden_at = (l->gates_at + Bytes(align_up(cells * 4 * sizeof(int16_t)))).count();
  l->product_at = (l->hidden_at + Bytes(align_up(cells + kOverread))).count();
  size_t most = 0;
  for (const RowProduct* p : {&l->input, &l->recurrent, &l->projection}) {
    most = std::max(most, p->scratch_bytes(rows));
  }
  op.scratch_shared = (Bytes(l->product_at) + most).count();
  return {};
}

void run_integer_lstm(const EvalContext& run, const IntegerLstm& l) {
  const LstmSizes& s = l.sizes;
  const int8_t* x = run.in<int8_t>(0);
  int8_t* out = run.out<int8_t>(0);
  const int8_t* state = run.variable<int8_t>(l.at.output_state);
  const size_t batch_step = l.options.time_major ? 1 : s.steps;  // in rows
  const size_t time_step = l.options.time_major ? s.batches : 1;
  // TFLite takes batches one by one unless they lie beside each other, which peepholes show.
  const size_t rows = l.options.time_major ? s.batches : 1;
  for (size_t t = 0; t < s.steps; ++t) {
    for (size_t b = 0; b < s.batches; b += rows) {
      step(run, l, x + (t * time_step + b * batch_step) * s.inputs, batch_step * s.inputs, b, rows);
      for (size_t j = b; j < b + rows; ++j) {
        std::copy_n(state + j * s.outputs, s.outputs,
                    out + (t * time_step + j * batch_step) * s.outputs);
      }
    }
  }
}

}  // namespace edge
