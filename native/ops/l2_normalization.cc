// L2_NORMALIZATION: y = x / max(sqrt(sum x^2), 1e-6) over the last axis.
//
// The codes of int8 and uint8 are multiplied by the inverse root as a fixed-point number of 31
// bits, found by Newton's method in integers (decision 001); their output has scale 1/128.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/op.h"
#include "ops/support/inverse_root.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  int64_t rows = 0, depth = 0;
  int32_t zero = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<L2NormAttributes>());
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  EDGE_TRY(op.expect_output_as_input());
  if (op.attributes<L2NormAttributes>().activation != Activation::kNone) {
    return unsupported("a fused activation");
  }
  const TensorSpec& y = op.out(0).spec;
  if (y.dtype == DType::kFloat32) return {};
  EDGE_TRY(op.expect_quantized(op.in(0)));
  EDGE_TRY(op.expect_quantized(op.out(0)));
  if (y.scale() != 1.f / 128 || y.zero_point() != (y.dtype == DType::kInt8 ? 0 : 128)) {
    return invalid_model(
        format("its output must have scale 1/128 around the middle code, not %g and %d",
               static_cast<double>(y.scale()), y.zero_point()));
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() < 1) return invalid_model("its input is a scalar");
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const Shape& x = op.in(0).spec.shape;
  s.type = op.in(0).spec.dtype;
  s.zero = op.in(0).spec.zero_point();
  if (x.count() == 0) return {};
  s.depth = x[x.rank() - 1];
  s.rows = x.count(0, x.rank() - 1);
  // The sum of squares has 32 bits.
  if (s.type != DType::kFloat32 && s.depth > INT32_MAX / (255 * 255)) {
    return unsupported(format("%lld elements in a row", static_cast<long long>(s.depth)));
  }
  return {};
}

void normalize(const float* x, int64_t n, float* y) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
  const float norm = std::max(std::sqrt(sum), 1e-6f);
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] / norm;
}

template <typename T>
void normalize(const T* x, int64_t n, int32_t zero, T* y) {
  constexpr bool kSigned = std::is_signed_v<T>;
  int32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (x[i] - zero) * (x[i] - zero);
  const requantize::Multiplier by = inverse_root(sum);
  for (int64_t i = 0; i < n; ++i) {
    // The factor 128, 1 / scale, stands where the reference has it: it is rounded otherwise.
    const int32_t code = kSigned ? requantize::double_round(x[i] - zero, by.m, by.e + 7)
                                 : 128 + requantize::double_round(128 * (x[i] - zero), by.m, by.e);
    const int32_t low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    y[i] = static_cast<T>(std::min(std::max(code, low), high));
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  for (int64_t r = 0; r < s.rows; ++r) {
    const int64_t at = r * s.depth;
    if (s.type == DType::kFloat32) {
      normalize(run.in<float>(0) + at, s.depth, run.out<float>(0) + at);
    } else if (s.type == DType::kInt8) {
      normalize(run.in<int8_t>(0) + at, s.depth, s.zero, run.out<int8_t>(0) + at);
    } else {
      normalize(run.in<uint8_t>(0) + at, s.depth, s.zero, run.out<uint8_t>(0) + at);
    }
  }
}

}  // namespace

extern const OpDef op_l2_normalization{check, infer, prepare, eval};

}  // namespace edge
