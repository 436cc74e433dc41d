// LOG_SOFTMAX: y[j] = x[j] - log(sum_k exp(x[k])) over the last dimension. Codes are computed in
// gemmlowp's fixed point (decision 001); their output has scale 1/16 and the highest code for 0.
#include <algorithm>
#include <cmath>

#include "kernels/softmax/fixed_point.h"
#include "kernels/softmax/softmax.h"
#include "ops/support/fixed_point.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

using softmax::multiply;
using softmax::shift_left;

struct State {
  DType type = DType::kFloat32;
  size_t rows = 0, depth = 0;
  softmax::Table table{};
  std::array<int32_t, 256> difference{};  // -d * scale, Q5.26
  requantize::Multiplier reverse{};       // from Q5.26 to differences of codes
};

Status check(const OpView& op) {
  EDGE_TRY(check_unary(op, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  const TensorSpec& y = op.out(0).spec;
  if (!is_8bit(y.dtype)) return {};
  if (y.scale() == 1.f / 16 && y.zero_point() == type_range(y.dtype).high) return {};
  return invalid_model(
      format("its output must have scale 1/16 and the highest code as zero point, not %g and %d",
             double{y.scale()}, y.zero_point()));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() < 1) return invalid_model("its input is a scalar");
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const TensorSpec& x = op.in(0).spec;
  s.type = x.dtype;
  if (x.shape.count() > 0) {
    s.depth = static_cast<size_t>(x.shape[x.shape.rank() - 1]);
    s.rows = static_cast<size_t>(x.shape.count()) / s.depth;
  }
  if (!is_8bit(s.type)) return {};
  softmax::make_table(x.scale(), 1.f, &s.table);
  const double real = std::clamp(double{x.scale()} * (1 << 26), 1.0, double{INT32_MAX});
  const requantize::Multiplier m = requantize::quantize_multiplier(real);
  for (int32_t d = 0; d < 256 && d <= s.table.reach; ++d) {
    const int64_t x_left = -int64_t{d} * (int64_t{1} << m.e);
    s.difference[static_cast<size_t>(d)] = multiply(static_cast<int32_t>(x_left), m.m);
  }
  EDGE_ASSIGN(s.reverse, fixed_point(std::ldexp(1.0, 31 - m.e) / double(m.m)));
  return {};
}

// log(x) for x >= 1 in Q12.19, as Q5.26: x = 2^n * r with r near sqrt(sqrt(1/2)), of two such n the
// one with the smaller r; then a quotient of polynomials of r (gemmlowp's Q0.31 but where noted).
int32_t log_of_sum(int32_t x) {
  constexpr int kIntegerBits = 12, kAccumulatorBits = 25;  // Q6.25
  constexpr int32_t kLog2 = 1488522236, kRootHalf = 1518500250, kRootRootHalf = 1805811301;
  constexpr int32_t kAlphaN = 117049297;   // 11 / 240 * 2^(1/4)
  constexpr int32_t kAlphaD = 127690142;   // 1 / 20 * 2^(1/4)
  constexpr int32_t kAlphaI = 1057819769;  // 2 / 2^(1/4) - 2^(1/4)
  constexpr int32_t kAlphaF = 638450708;   // 1 / 4 * 2^(1/4)
  constexpr int32_t kQuarter = 1 << (kAccumulatorBits - 2);
  const int zeros_a = __builtin_clz(static_cast<uint32_t>(x));
  const int32_t r_a = shift_left(multiply(shift_left(x, zeros_a - 1), kRootHalf), 1);
  const int32_t n_a = shift_left(kIntegerBits - zeros_a, kAccumulatorBits) + kQuarter;
  const int zeros_b = __builtin_clz(static_cast<uint32_t>(multiply(x, kRootHalf))) - 1;
  const int32_t r_b = shift_left(x, zeros_b);
  const int32_t n_b = shift_left(kIntegerBits - zeros_b, kAccumulatorBits) - kQuarter;
  const int32_t r = std::min(r_a, r_b), n = std::max(n_a, n_b);
  const int32_t p = static_cast<int32_t>((int64_t{r} + kRootRootHalf + 1) / 2);
  const int32_t q = 2 * (r - kRootRootHalf);
  const int32_t q2 = multiply(q, q);
  const int32_t over = multiply(q, r) + multiply(multiply(q, q2), kAlphaN);
  const int32_t under = multiply(p, kAlphaI + q + multiply(kAlphaD, q2)) + multiply(kAlphaF, q);
  const int32_t quotient = multiply(softmax::round_shift(over, 6), softmax::reciprocal(under));
  return shift_left(multiply(n, kLog2) + quotient, 1);
}

template <typename T>
void log_softmax(const State& s, const T* x, T* y) {
  const Range codes = type_range(s.type);
  const int32_t most = *std::max_element(x, x + s.depth);
  int64_t sum = 0;
  for (size_t i = 0; i < s.depth; ++i) {
    sum += softmax::round_shift(s.table.exp[static_cast<size_t>(most - x[i])], 12);
  }
  const int32_t log = log_of_sum(static_cast<int32_t>(std::min(sum, int64_t{INT32_MAX})));
  const int32_t least =
      std::max(-s.table.reach - 1, rescale(requantize::wrapping_add(log, INT32_MIN), s.reverse));
  for (size_t i = 0; i < s.depth; ++i) {
    const int32_t d = most - x[i];
    const int32_t code =
        -d > least
            ? softmax::round_shift(s.difference[static_cast<size_t>(d)] - log, 22) + codes.high
            : codes.low;
    y[i] = static_cast<T>(std::min(std::max(code, codes.low), codes.high));
  }
}

void log_softmax(const State& s, const float* x, float* y) {
  const float most = *std::max_element(x, x + s.depth);
  float sum = 0;
  for (size_t i = 0; i < s.depth; ++i) sum += std::exp(x[i] - most);
  const float log = std::log(sum);
  for (size_t i = 0; i < s.depth; ++i) y[i] = x[i] - most - log;
}

template <typename T>
void eval_rows(const EvalContext& run, const State& s) {
  run.pool().run(s.rows, [&](size_t row, int) {
    log_softmax(s, run.in<T>(0) + row * s.depth, run.out<T>(0) + row * s.depth);
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.type == DType::kInt8) return eval_rows<int8_t>(run, s);
  if (s.type == DType::kUInt8) return eval_rows<uint8_t>(run, s);
  eval_rows<float>(run, s);
}

}  // namespace

extern const OpDef op_log_softmax{check, infer, prepare, eval};

}  // namespace edge
