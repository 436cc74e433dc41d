#include "ops/support/basic_lstm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/support/fixed_point.h"
#include "ops/support/quantize.h"
#include "ops/support/short_sigmoid.h"
#include "ops/support/sigmoid.h"

namespace edge {
namespace {

enum Input : size_t { kX, kActivation, kWeights, kBias, kCell };
enum Output : size_t { kNewActivation, kNewCell, kJoined, kGates };

constexpr size_t kLanes = 16;

int16_t short_of(int64_t v) { return static_cast<int16_t>(std::clamp<int64_t>(v, -32768, 32767)); }

// Product of two fractions of 2^15, rounded half up.
int16_t product(int16_t a, int16_t b) { return short_of((a * b + (1 << 14)) >> 15); }

// v / 2^n, rounded half away from zero.
int16_t divide(int16_t v, int n) {
  return static_cast<int16_t>((v + (1 << (n - 1)) - (v < 0)) >> n);
}

// A sum as 16 bits: requantize.h's double rounding, but that both times halves are rounded up.
int16_t scaled(int32_t sum, const requantize::Multiplier& m) {
  const int32_t v = requantize::double_round(sum, m.m, std::max(m.e, 0));
  const int right = std::max(-m.e, 0);
  return short_of(right == 0 ? v : (v + (int64_t{1} << (right - 1))) >> right);
}

// The input's row and the activation's side by side.
template <typename T>
void join(const EvalContext& run, const BasicLstm& l) {
  T* to = run.out<T>(kJoined);
  for (size_t b = 0; b < l.batches; ++b, to += l.inputs + l.cells) {
    std::copy_n(run.in<T>(kX) + b * l.inputs, l.inputs, to);
    std::copy_n(run.in<T>(kActivation) + b * l.cells, l.cells, to + l.inputs);
  }
}

void run_floats(const EvalContext& run, const BasicLstm& l) {
  const size_t n = l.cells;
  join<float>(run, l);
  l.product.run(run.out<float>(kJoined), l.inputs + n, l.batches, run.out<float>(kGates),
                run.shared_scratch());
  float* gates = reinterpret_cast<float*>(run.shared_scratch() + l.gates_at);
  float *i = gates, *modulation = gates + n, *f = gates + 2 * n, *o = gates + 3 * n;
  for (size_t b = 0; b < l.batches; ++b) {
    std::copy_n(run.out<float>(kGates) + b * 4 * n, 4 * n, gates);
    sigmoid(i, n);
    tanh(modulation, n);
    sigmoid(f, 2 * n);
    const float* old = run.in<float>(kCell) + b * n;
    float *cell = run.out<float>(kNewCell) + b * n, *h = run.out<float>(kNewActivation) + b * n;
    for (size_t k = 0; k < n; ++k) cell[k] = i[k] * modulation[k] + f[k] * old[k];
    std::copy_n(cell, n, h);
    tanh(h, n);
    for (size_t k = 0; k < n; ++k) h[k] *= o[k];
  }
}

// Rows of codes times all columns, as fractions of 2^12.
void multiply(const EvalContext& run, const BasicLstm& l) {
  int16_t* x = reinterpret_cast<int16_t*>(run.shared_scratch());
  const size_t depth = l.inputs + l.cells;
  std::fill_n(x, l.row, int16_t{0});
  int16_t* out = run.out<int16_t>(kGates);
  for (size_t b = 0; b < l.batches; ++b) {
    const uint8_t* joined = run.out<uint8_t>(kJoined) + b * depth;
    for (size_t k = 0; k < depth; ++k) x[k] = static_cast<int16_t>(joined[k] - 128);
    const int16_t* w = l.weights.data();
    for (size_t n = 0; n < 4 * l.cells; ++n, w += l.row) {
      int32_t lanes[kLanes] = {};
      for (size_t k = 0; k < l.row; k += kLanes) {
        for (size_t j = 0; j < kLanes; ++j) {
          lanes[j] = requantize::wrapping_add(lanes[j], x[k + j] * w[k + j]);
        }
      }
      int32_t sum = l.bias[n];
      for (int32_t lane : lanes) sum = requantize::wrapping_add(sum, lane);
      *out++ = scaled(sum, l.multiplier);
    }
  }
}

void run_codes(const EvalContext& run, const BasicLstm& l) {
  join<uint8_t>(run, l);
  multiply(run, l);
  const size_t n = l.cells;
  for (size_t b = 0; b < l.batches; ++b) {
    const int16_t* gates = run.out<int16_t>(kGates) + b * 4 * n;
    const int16_t* old = run.in<int16_t>(kCell) + b * n;
    int16_t* cell = run.out<int16_t>(kNewCell) + b * n;
    uint8_t* h = run.out<uint8_t>(kNewActivation) + b * n;
    for (size_t k = 0; k < n; ++k) {
      const int16_t added = product(short_sigmoid(gates[k]), short_tanh(gates[n + k], 3));
      const int16_t kept = product(short_sigmoid(gates[2 * n + k]), old[k]);
      cell[k] = short_of(divide(added, 4) + kept);
      const int16_t squashed = short_tanh(short_of(2 * cell[k]), 3);
      const int16_t v = divide(product(short_sigmoid(gates[3 * n + k]), squashed), 8);
      h[k] = static_cast<uint8_t>(128 + std::clamp<int16_t>(v, -128, 127));
    }
  }
}

Status prepare_codes(PrepareContext& op, BasicLstm* l) {
  const TensorSpec &w = op.in(kWeights).spec, &b = op.in(kBias).spec;
  for (size_t i : {kX, kActivation, kWeights}) EDGE_TRY(op.expect_quantized(op.in(i)));
  EDGE_TRY(check_scales(b.quant, "its biases"));
  EDGE_TRY(check_scales(op.out(kNewCell).spec.quant, "its state"));
  if (std::abs(std::log2(op.out(kNewCell).spec.scale()) + 11) >= 1e-3f) {
    return unsupported("a state with another scale than 2^-11");
  }
  EDGE_ASSIGN(l->multiplier, fixed_point(static_cast<double>(4096 * b.scale())));
  if (l->multiplier.e > 31) return invalid_model("a multiplier above 2^31");
  const size_t depth = l->inputs + l->cells, columns = 4 * l->cells;
  l->row = (depth + kLanes - 1) / kLanes * kLanes;
  l->weights.assign(columns * l->row, 0);
  const uint8_t* bytes = op.in(kWeights).data.data();
  for (size_t n = 0; n < columns; ++n) {
    for (size_t k = 0; k < depth; ++k) {
      l->weights[n * l->row + k] = static_cast<int16_t>(bytes[n * depth + k] - w.zero_point());
    }
  }
  l->bias.resize(columns);
  std::memcpy(l->bias.data(), op.in(kBias).data.data(), columns * sizeof(int32_t));
  op.packed_bytes = l->weights.size() * sizeof(int16_t);
  op.scratch_shared = l->row * sizeof(int16_t);
  return {};
}

}  // namespace

Status check_basic_lstm(const OpView& op) {
  EDGE_TRY(op.expect_arity(5, 5, 4));
  EDGE_TRY(op.expect_input(kX, {DType::kFloat32, DType::kUInt8}));
  const bool floats = op.in(kX).spec.dtype == DType::kFloat32;
  const DType code = floats ? DType::kFloat32 : DType::kUInt8;
  const DType wide = floats ? DType::kFloat32 : DType::kInt16;
  EDGE_TRY(op.expect_input(kActivation, {code}));
  EDGE_TRY(op.expect_input(kWeights, {code}));
  EDGE_TRY(op.expect_input(kBias, {floats ? DType::kFloat32 : DType::kInt32}));
  EDGE_TRY(op.expect_input(kCell, {wide}));
  EDGE_TRY(op.expect_output(kNewActivation, {code}));
  EDGE_TRY(op.expect_output(kNewCell, {wide}));
  EDGE_TRY(op.expect_output(kJoined, {code}));
  EDGE_TRY(op.expect_output(kGates, {wide}));
  return {};
}

Status infer_basic_lstm(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(kX).spec.shape, &h = op.in(kActivation).spec.shape;
  const Shape &w = op.in(kWeights).spec.shape, &c = op.in(kCell).spec.shape;
  bool fits = x.rank() == 2 && h.rank() == 2 && w.rank() == 2 && c == h && h[0] == x[0] && h[1] > 0;
  fits = fits && int64_t{w[0]} == int64_t{4} * h[1] && int64_t{w[1]} == int64_t{x[1]} + h[1] &&
         op.in(kBias).spec.shape == Shape{w[0]};
  if (!fits) {
    return invalid_model(format(
        "input %s, activation %s, state %s and weights %s do not suit each "
        "other",
        to_string(x).c_str(), to_string(h).c_str(), to_string(c).c_str(), to_string(w).c_str()));
  }
  (*shapes)[kNewActivation] = h;
  (*shapes)[kNewCell] = h;
  (*shapes)[kJoined] = {x[0], w[1]};
  (*shapes)[kGates] = {x[0], w[0]};
  return {};
}

Status prepare_basic_lstm(PrepareContext& op, BasicLstm* l) {
  const Shape &x = op.in(kX).spec.shape, &h = op.in(kActivation).spec.shape;
  l->floats = op.in(kX).spec.dtype == DType::kFloat32;
  l->batches = static_cast<size_t>(x[0]);
  l->inputs = static_cast<size_t>(x[1]);
  l->cells = static_cast<size_t>(h[1]);
  l->keeps_activation = op.in(kActivation).variable;
  l->keeps_state = op.in(kCell).variable;
  for (size_t i : {kWeights, kBias}) EDGE_TRY(op.expect_known(i));
  if (!l->floats) return prepare_codes(op, l);
  std::vector<float> bias(4 * l->cells);
  std::memcpy(bias.data(), op.in(kBias).data.data(), bias.size() * sizeof(float));
  EDGE_TRY(l->product.prepare(op, {kWeights}, bias, false));
  l->gates_at = align_up(l->product.scratch_bytes(l->batches));
  op.scratch_shared = l->gates_at + 4 * l->cells * sizeof(float);
  return {};
}

void run_basic_lstm(const EvalContext& run, const BasicLstm& l) {
  l.floats ? run_floats(run, l) : run_codes(run, l);
  const size_t all = l.batches * l.cells;
  const size_t code = l.floats ? sizeof(float) : 1, wide = l.floats ? sizeof(float) : 2;
  if (all == 0) return;
  if (l.keeps_activation) {
    std::memcpy(run.variable<uint8_t>(kActivation), run.out<uint8_t>(kNewActivation), all * code);
  }
  if (l.keeps_state) {
    std::memcpy(run.variable<uint8_t>(kCell), run.out<uint8_t>(kNewCell), all * wide);
  }
}

}  // namespace edge
