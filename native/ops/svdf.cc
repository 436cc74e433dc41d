// SVDF: a filter bank with a memory, whose filters are products of two vectors:
//
//   s[f]    = the last M products of features w[f] with the input, a variable
//   y[u]    = act(bias[u] + sum of time[f] . s[f] over the `rank` filters f of unit u)
//
// float32 with float32 or 8-bit weights; int8 with memories of int16 or int8.
#include <algorithm>
#include <cstring>
#include <limits>

#include "base/arena.h"
#include "ops/support/fixed_point.h"
#include "ops/support/quantize.h"
#include "ops/support/row_product.h"

namespace edge {
namespace {

enum Input : size_t { kX, kFeatures, kTime, kBias, kMemory };

struct State {
  DType type = DType::kFloat32, memory = DType::kFloat32;
  size_t batches = 0, inputs = 0, filters = 0, length = 0, rank = 1;
  size_t products = 0;  // where shared scratch memory holds them; before: the product's own
  RowProduct product;
  std::vector<float> time, bias;
  FloatRange range{};
  std::vector<int16_t> time_codes;
  std::vector<int32_t> bias_codes;
  requantize::Multiplier first{}, second{};
  int32_t memory_zero = 0, zero = 0;
  size_t units() const { return filters / rank; }
};

bool integer(const OpView& op) { return op.in(kX).spec.dtype == DType::kInt8; }

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SvdfAttributes>());
  EDGE_TRY(op.expect_arity(3, 5, 1));
  EDGE_TRY(op.expect_input(kX, {DType::kFloat32, DType::kInt8}));
  EDGE_TRY(op.expect_output_as_input());
  const bool codes = integer(op);
  EDGE_TRY(op.expect_input(kFeatures, {codes ? DType::kInt8 : DType::kFloat32, DType::kInt8,
                                       codes ? DType::kInt8 : DType::kUInt8}));
  EDGE_TRY(check_product(op, kFeatures, op.in(kFeatures).spec.dtype));
  EDGE_TRY(codes ? op.expect_input(kTime, {DType::kInt16, DType::kInt8})
                 : op.expect_input(kTime, {op.in(kFeatures).spec.dtype}));
  EDGE_TRY(check_product(op, kTime, op.in(kTime).spec.dtype));
  if (op.has_input(kBias)) {
    EDGE_TRY(op.expect_input(kBias, {codes ? DType::kInt32 : DType::kFloat32}));
  }
  if (!codes) return {};
  EDGE_TRY(op.expect_quantized(op.in(kX)));
  EDGE_TRY(op.expect_quantized(op.out(0)));
  return check_scales(op.in(kTime).spec.quant, "its time weights");
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const int32_t rank = op.attributes<SvdfAttributes>().rank;
  const Shape &x = op.in(kX).spec.shape, &w = op.in(kFeatures).spec.shape;
  const Shape& t = op.in(kTime).spec.shape;
  if (x.rank() != 2 || x[1] < 1 || w[1] != x[1] || t[0] != w[0] || t[1] < 1 || rank < 1 ||
      w[0] % rank != 0) {
    return invalid_model(format("input %s, filters %s and %s of rank %d do not suit each other",
                                to_string(x).c_str(), to_string(w).c_str(), to_string(t).c_str(),
                                rank));
  }
  if (op.has_input(kBias) && op.in(kBias).spec.shape.count() != w[0] / rank) {
    return invalid_model("it does not have one bias per unit");
  }
  const DType memory = !integer(op) ? DType::kFloat32 : op.in(kTime).spec.dtype;
  EDGE_TRY(op.expect_variable(kMemory, memory, int64_t{x[0]} * t.count()));
  (*shapes)[0] = {x[0], w[0] / rank};
  return {};
}

Status prepare_codes(PrepareContext& op, State* s) {
  const TensorSpec &x = op.in(kX).spec, &memory = op.in(kMemory).spec;
  const TensorSpec &w = op.in(kFeatures).spec, &t = op.in(kTime).spec, &y = op.out(0).spec;
  EDGE_TRY(op.expect_quantized(op.in(kMemory)));
  EDGE_TRY(check_scales(memory.quant, "its memory"));
  EDGE_TRY(check_scales(w.quant, "its weights"));
  s->memory = memory.dtype;
  s->memory_zero = memory.dtype == DType::kInt8 ? memory.zero_point() : 0;
  s->zero = y.zero_point();
  EDGE_ASSIGN(s->first, fixed_point(static_cast<double>(x.scale() * w.scale() / memory.scale())));
  EDGE_ASSIGN(s->second, fixed_point(static_cast<double>(memory.scale() * t.scale() / y.scale())));
  if (s->first.e > 31 || s->second.e > 31) return invalid_model("a multiplier above 2^31");
  const uint8_t* time = op.in(kTime).data.data();
  for (size_t i = 0; i < s->filters * s->length; ++i) {
    s->time_codes.push_back(s->memory == DType::kInt16 ? reinterpret_cast<const int16_t*>(time)[i]
                                                       : static_cast<int8_t>(time[i]));
  }
  s->bias_codes.assign(s->units(), 0);
  if (op.has_input(kBias) && s->units() > 0) {
    std::memcpy(s->bias_codes.data(), op.in(kBias).data.data(), s->units() * sizeof(int32_t));
  }
  return s->product.prepare_codes(op, {kFeatures}, x.zero_point(), {});
}

Status prepare_floats(PrepareContext& op, State* s) {
  const auto& a = op.attributes<SvdfAttributes>();
  EDGE_ASSIGN(s->range, activation_range(a.activation));
  const Value& t = op.in(kTime);
  for (size_t i = 0; i < s->filters * s->length; ++i) {
    float value = 0;
    if (t.spec.dtype == DType::kFloat32) {
      std::memcpy(&value, t.data.data() + i * sizeof value, sizeof value);
    } else {
      value = static_cast<float>(static_cast<int8_t>(t.data[i])) * t.spec.scale();
    }
    s->time.push_back(value);
  }
  s->bias.assign(s->units(), 0.f);
  if (op.has_input(kBias) && s->units() > 0) {
    std::memcpy(s->bias.data(), op.in(kBias).data.data(), s->units() * sizeof(float));
  }
  return s->product.prepare(op, {kFeatures}, {}, a.asymmetric_quantize_inputs);
}

Status prepare(PrepareContext& op) {
  EDGE_TRY(op.expect_known(kTime));
  if (op.has_input(kBias)) EDGE_TRY(op.expect_known(kBias));
  State& s = op.make_state<State>();
  s.type = op.in(kX).spec.dtype;
  s.batches = static_cast<size_t>(op.in(kX).spec.shape[0]);
  s.inputs = static_cast<size_t>(op.in(kX).spec.shape[1]);
  s.filters = static_cast<size_t>(op.in(kTime).spec.shape[0]);
  s.length = static_cast<size_t>(op.in(kTime).spec.shape[1]);
  s.rank = static_cast<size_t>(op.attributes<SvdfAttributes>().rank);
  if (s.filters == 0) return {};
  EDGE_TRY(integer(op) ? prepare_codes(op, &s) : prepare_floats(op, &s));
  s.products = align_up(s.product.scratch_bytes(s.batches));
  op.scratch_shared =
      (s.products + Bytes(s.batches) * s.filters * sizeof(int32_t) + kOverread).count();
  return {};
}

// The newest product of each filter goes behind the others.
template <typename T, typename F>
void push(const State& s, T* memory, const F& newest) {
  for (size_t i = 0; i < s.batches * s.filters; ++i, memory += s.length) {
    std::copy(memory + 1, memory + s.length, memory);
    memory[s.length - 1] = newest(i);
  }
}

template <typename T>
void run_codes(const EvalContext& run, const State& s, const int32_t* products) {
  T* memory = run.variable<T>(kMemory);
  push(s, memory, [&](size_t i) {
    const int32_t v = requantize::double_round(products[i], s.first.m, s.first.e);
    const int32_t cut =
        std::clamp<int32_t>(v, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return static_cast<T>(cut + s.memory_zero);
  });
  const size_t terms = s.rank * s.length;  // of a unit: its filters follow each other
  for (size_t b = 0; b < s.batches; ++b) {
    for (size_t u = 0; u < s.units(); ++u, memory += terms) {
      uint32_t sum = static_cast<uint32_t>(s.bias_codes[u]);
      const int16_t* time = &s.time_codes[u * terms];
      for (size_t k = 0; k < terms; ++k) {
        sum += static_cast<uint32_t>(time[k] * (memory[k] - s.memory_zero));
      }
      const int32_t v = requantize::double_round(static_cast<int32_t>(sum), s.second.m, s.second.e);
      run.out<int8_t>(0)[b * s.units() + u] =
          static_cast<int8_t>(std::clamp(requantize::wrapping_add(v, s.zero), -128, 127));
    }
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.filters == 0) return;
  uint8_t* scratch = run.shared_scratch();
  if (s.type == DType::kInt8) {
    int32_t* products = reinterpret_cast<int32_t*>(scratch + s.products);
    s.product.run(run.in<int8_t>(kX), s.inputs, s.batches, products, scratch);
    if (s.memory == DType::kInt16) return run_codes<int16_t>(run, s, products);
    return run_codes<int8_t>(run, s, products);
  }
  float* products = reinterpret_cast<float*>(scratch + s.products);
  s.product.run(run.in<float>(kX), s.inputs, s.batches, products, scratch);
  float* memory = run.variable<float>(kMemory);
  push(s, memory, [&](size_t i) { return products[i]; });
  for (size_t b = 0; b < s.batches; ++b) {
    const float* time = s.time.data();
    for (size_t u = 0; u < s.units(); ++u) {
      float sum = 0;
      for (size_t f = 0; f < s.rank; ++f, time += s.length, memory += s.length) {
        float dot = 0;
        for (size_t k = 0; k < s.length; ++k) dot += time[k] * memory[k];
        sum += dot;
      }
      run.out<float>(0)[b * s.units() + u] =
          std::min(std::max(sum + s.bias[u], s.range.low), s.range.high);
    }
  }
}

int64_t macs(const OpView& op) {
  const int64_t batches = op.in(kX).spec.shape[0];
  return batches * (op.in(kFeatures).spec.shape.count() + op.in(kTime).spec.shape.count());
}

}  // namespace

extern const OpDef op_svdf{check, infer, prepare, eval, macs};

}  // namespace edge
