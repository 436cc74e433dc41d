// REDUCE_PROD: the product along the reduced axes; integers wrap. Codes of int8 and int16 are
// rescaled after each factor by the n-th part of the factor that n elements need (decision 001).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/arena.h"
#include "ops/support/by_type.h"
#include "ops/support/fixed_point.h"
#include "ops/support/quantize.h"
#include "ops/support/reduce.h"

namespace edge {
namespace {

struct State {
  Reduction reduction;
  DType type = DType::kFloat32;
  bool scaled = false;
  int32_t zero_in = 0, zero_out = 0;
  int64_t factor = 0;  // 16 bits
  int shift = 0;
};

bool scaled(const OpView& op) {
  const DType type = op.in(0).spec.dtype;
  return (type == DType::kInt8 || type == DType::kInt16) && !op.in(0).spec.quant.scale.empty();
}

Status check(const OpView& op) {
  EDGE_TRY(check_reduce(op, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16,
                             DType::kInt32, DType::kInt64, DType::kBool}));
  if (!op.in(0).spec.quant.scale.empty() && op.in(0).spec.dtype == DType::kUInt8) {
    return unsupported("quantized uint8");
  }
  if (!scaled(op)) return {};
  for (const Value* v : {&op.in(0), &op.out(0)}) {
    EDGE_TRY(op.expect_quantized(*v));
    EDGE_TRY(check_scales(v->spec.quant, "its tensor"));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.reduction, make_reduction(op));
  s.type = op.in(0).spec.dtype;
  s.scaled = scaled(op);
  if (!s.scaled) return {};
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  s.zero_in = x.zero_point();
  s.zero_out = y.zero_point();
  if (s.reduction.folded == 0) return unsupported("it multiplies no elements");
  const double n = static_cast<double>(s.reduction.folded);
  EDGE_ASSIGN(const auto m, fixed_point(double{x.scale()} / std::pow(double{y.scale()}, 1 / n)));
  s.factor = m.m < 0x7FFF0000 ? (int64_t{m.m} + (1 << 15)) >> 16 : 0x7FFF;
  s.shift = 15 - m.e;
  if (s.shift < 1 || s.shift > 62) {
    return unsupported(
        format("scales %g and %g are too far apart", double{x.scale()}, double{y.scale()}));
  }
  op.scratch_per_worker =
      (Bytes(static_cast<size_t>(s.reduction.outputs)) * sizeof(int32_t)).count();
  return {};
}

int32_t rescale(int64_t x, const State& s) {
  const uint64_t product =
      static_cast<uint64_t>(x) * static_cast<uint64_t>(s.factor) + (uint64_t{1} << (s.shift - 1));
  return static_cast<int32_t>(static_cast<int64_t>(product) >> s.shift);
}

template <typename T>
void eval_codes(const EvalContext& run, const State& s) {
  int32_t* products = reinterpret_cast<int32_t*>(run.scratch(0));
  // The first factor is taken as it is: no product of codes is INT32_MIN.
  reduce(s.reduction, INT32_MIN, run.in<T>(0), products, [&](int32_t a, T code) {
    const int32_t b = code - s.zero_in;
    return a == INT32_MIN ? b : rescale(int64_t{a} * b, s);
  });
  for (int64_t i = 0; i < s.reduction.outputs; ++i) {
    const int64_t code = int64_t{rescale(products[i], s)} + s.zero_out;
    const int64_t low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    run.out<T>(0)[i] = static_cast<T>(std::min(std::max(code, low), high));
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.scaled && s.type == DType::kInt8) return eval_codes<int8_t>(run, s);
  if (s.scaled) return eval_codes<int16_t>(run, s);
  if (s.type == DType::kBool) {
    return reduce(s.reduction, uint8_t{true}, run.in<uint8_t>(0), run.out<uint8_t>(0),
                  [](uint8_t a, uint8_t b) { return uint8_t{a != 0 && b != 0}; });
  }
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    reduce(s.reduction, T{1}, run.in<T>(0), run.out<T>(0), wrapping_product<T>);
  });
}

}  // namespace

extern const OpDef op_reduce_prod{check, infer_reduce, prepare, eval};

}  // namespace edge
