// MULTINOMIAL: for each row of logits, so many numbers of classes drawn with probabilities
// softmax(row).
#include <algorithm>
#include <limits>

#include "base/arena.h"
#include "ops/support/by_type.h"
#include "ops/support/movement.h"
#include "ops/support/random.h"

namespace edge {
namespace {

struct State {
  Random random;
  DType type = DType::kInt64;
  int64_t rows = 0, classes = 0, samples = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<RandomAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output(0, {DType::kInt32, DType::kInt64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> samples, op.constant_integers(1));
  if (x.rank() != 2 || x[1] < 1 || samples.size() != 1) {
    return invalid_model(
        format("%zu counts of samples, logits %s", samples.size(), to_string(x).c_str()));
  }
  (*shapes)[0].push_back(x[0]);
  return append_extent(samples[0], &(*shapes)[0]);
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<RandomAttributes>();
  const TensorSpec& y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.random.seed(a.seed, a.seed2);
  op.kept_bytes = Random::kKeptBytes;
  s.type = y.dtype;
  s.classes = op.in(0).spec.shape[1];
  s.rows = y.shape[0];
  s.samples = y.shape[1];
  op.scratch_per_worker = (Bytes(static_cast<size_t>(s.classes)) * sizeof(double)).count();
  return {};
}

// sums[i] = sum of exp(x[k] - max) for k up to i; what is not finite has no probability.
void accumulate(const float* x, int64_t n, double* sums) {
  float most = std::numeric_limits<float>::lowest();
  for (int64_t i = 0; i < n; ++i) {
    if (std::isfinite(x[i])) most = std::max(most, x[i]);
  }
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (std::isfinite(x[i])) sum += std::exp(double{x[i]} - double{most});
    sums[i] = sum;
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  double* sums = reinterpret_cast<double*>(run.scratch(0));
  // As many steps as the reference takes: two numbers of 32 bits a sample, and many to spare.
  const uint64_t rows = static_cast<uint64_t>(s.rows), samples = static_cast<uint64_t>(s.samples);
  const uint64_t first = Random::take(run, rows * ((samples + 3) / 4 * 4) * 2 * 256);
  uint64_t drawn = 0;
  by_type<int32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    for (int64_t r = 0; r < s.rows; ++r) {
      accumulate(run.in<float>(0) + r * s.classes, s.classes, sums);
      for (int64_t i = 0; i < s.samples; ++i, ++drawn) {
        const Four bits = s.random.at(first + drawn / 2);
        const size_t half = drawn % 2 * 2;
        const double at = unit_double(bits[half], bits[half + 1]) * sums[s.classes - 1];
        run.out<T>(0)[r * s.samples + i] =
            static_cast<T>(std::upper_bound(sums, sums + s.classes, at) - sums);
      }
    }
  });
}

}  // namespace

extern const OpDef op_multinomial = random_op({check, infer, prepare, eval});

}  // namespace edge
