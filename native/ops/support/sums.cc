#include "ops/support/sums.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/arena.h"
#include "kernels/requantize/requantize.h"
#include "ops/support/reduce.h"

namespace edge {
namespace {

struct State {
  Reduction reduction;
  DType type = DType::kFloat32;
  bool mean = false;
  // Of quantized types.
  int32_t zero_in = 0, zero_out = 0;
  requantize::Multiplier multiplier{};
};

bool quantized(DType type) {
  return type == DType::kInt8 || type == DType::kUInt8 || type == DType::kInt16;
}

// Sums of integers wrap at their width, as the reference's do.
struct Add {
  template <typename Sum, typename In>
  Sum operator()(Sum a, In b) const {
    if constexpr (std::is_floating_point_v<Sum>) {
      return a + b;
    } else {
      using Wrapping = std::make_unsigned_t<Sum>;
      return static_cast<Sum>(static_cast<Wrapping>(a) + static_cast<Wrapping>(b));
    }
  }
};

// float32, and the plain integers with sums of 64 bits for a mean.
template <typename T, typename Sum>
void eval_plain(const State& s, const EvalContext& run) {
  const Reduction& r = s.reduction;
  T* out = run.out<T>(0);
  if (!s.mean) return reduce(r, T{0}, run.in<T>(0), out, Add());
  Sum* sums = reinterpret_cast<Sum*>(run.scratch(0));
  reduce(r, Sum{0}, run.in<T>(0), sums, Add());
  if (r.folded == 0) {
    std::fill_n(out, r.outputs, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  for (int64_t i = 0; i < r.outputs; ++i) {
    out[i] = static_cast<T>(sums[i] / static_cast<Sum>(r.folded));
  }
}

template <typename T>
void eval_quantized(const State& s, const EvalContext& run) {
  const Reduction& r = s.reduction;
  T* out = run.out<T>(0);
  if (r.folded == 0) {
    std::fill_n(out, r.outputs, T{0});
    return;
  }
  int32_t* sums = reinterpret_cast<int32_t*>(run.scratch(0));
  reduce(r, int32_t{0}, run.in<T>(0), sums, Add());
  for (int64_t i = 0; i < r.outputs; ++i) {
    const int32_t centred = static_cast<int32_t>(sums[i] - s.zero_in * r.folded);
    const int32_t scaled = requantize::double_round(centred, s.multiplier.m, s.multiplier.e);
    const int64_t code = int64_t{scaled} + s.zero_out;
    const int64_t low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    out[i] = static_cast<T>(std::min(std::max(code, low), high));
  }
}

// The mean's division goes into the multiplier: m * 2^e / n = (m * 2^k / n) * 2^(e - k), with as
// large a k as 64 bits and the shift allow (decision 001).
requantize::Multiplier divided(requantize::Multiplier by, int64_t n) {
  int k = 63 - __builtin_clzll(static_cast<unsigned long long>(n));
  k = std::min({k, 32, 31 + by.e});
  return {static_cast<int32_t>((int64_t{by.m} << k) / n), by.e - k};
}

}  // namespace

Status check_sum(const OpView& op) {
  EDGE_TRY(check_reduce(op, {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kInt8,
                             DType::kUInt8, DType::kInt16}));
  for (const Value* v : {&op.in(0), &op.out(0)}) {
    EDGE_TRY(op.expect_quantized(*v));
    if (v->spec.dtype != DType::kInt16) continue;
    if (v->spec.quant.scale.size() != 1 || !(v->spec.scale() > 0) || v->spec.zero_point() != 0) {
      return invalid_model("int16 wants one positive scale and the zero point 0");
    }
  }
  return {};
}

template <Average kAverage>
Status prepare_sum(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.reduction, make_reduction(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  s.type = x.dtype;
  s.mean = kAverage == Average::kMean;
  const Bytes outputs = static_cast<size_t>(s.reduction.outputs);
  if (!quantized(s.type)) {
    const size_t sum_bytes = s.type == DType::kFloat32 ? sizeof(float) : sizeof(int64_t);
    if (s.mean) op.scratch_per_worker = (outputs * sum_bytes).count();
    return {};
  }
  op.scratch_per_worker = (outputs * sizeof(int32_t)).count();
  s.zero_in = x.zero_point();
  s.zero_out = y.zero_point();
  s.multiplier = requantize::quantize_multiplier(static_cast<double>(x.scale()) /
                                                 static_cast<double>(y.scale()));
  if (s.multiplier.e > 30) {
    return unsupported(format("scales %g and %g are too far apart", static_cast<double>(x.scale()),
                              static_cast<double>(y.scale())));
  }
  if (s.mean && s.reduction.folded > 0) s.multiplier = divided(s.multiplier, s.reduction.folded);
  return {};
}
template Status prepare_sum<Average::kSum>(PrepareContext& op);
template Status prepare_sum<Average::kMean>(PrepareContext& op);

void eval_sum(const EvalContext& run) {
  const State& s = run.state<State>();
  switch (s.type) {
    case DType::kFloat32:
      return eval_plain<float, float>(s, run);
    case DType::kInt32:
      return eval_plain<int32_t, int64_t>(s, run);
    case DType::kInt64:
      return eval_plain<int64_t, int64_t>(s, run);
    case DType::kInt8:
      return eval_quantized<int8_t>(s, run);
    case DType::kUInt8:
      return eval_quantized<uint8_t>(s, run);
    default:
      return eval_quantized<int16_t>(s, run);
  }
}

}  // namespace edge
