// RFFT2D: the two-dimensional Fourier transform of real pictures [..., rows, columns], cut or
// filled up with zeros to fft_length = (height, width), both powers of two. The output is
// [..., height, width / 2 + 1]: the other half of each row is the conjugate of this one.
#include <algorithm>

#include "base/arena.h"
#include "ops/op.h"
#include "ops/support/complex.h"
#include "ops/support/fft.h"

namespace edge {
namespace {

struct State {
  int64_t rows = 0, columns = 0;  // of the input
  size_t pictures = 0;
  RealFft across;
  Fft down;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output(0, {DType::kComplex64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> length, op.constant_integers(1));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() < 2 || length.size() != 2) {
    return invalid_model(
        format("a transform of %s in %zu dimensions", to_string(x).c_str(), length.size()));
  }
  for (int64_t n : length) {
    if (!is_power_of_two(n)) {
      return unsupported(
          format("a length of %lld, which is no power of two", static_cast<long long>(n)));
    }
    if (n > static_cast<int64_t>(Fft::kMost)) {
      return unsupported(
          format("a length of %lld, more than %zu", static_cast<long long>(n), Fft::kMost));
    }
  }
  Shape& y = (*shapes)[0];
  y = x;
  y[x.rank() - 2] = static_cast<int32_t>(length[0]);
  y[x.rank() - 1] = static_cast<int32_t>(length[1] / 2 + 1);
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> length, op.constant_integers(1));
  const Shape& x = op.in(0).spec.shape;
  State& s = op.make_state<State>();
  s.rows = x[x.rank() - 2];
  s.columns = x[x.rank() - 1];
  s.pictures = static_cast<size_t>(x.count(0, x.rank() - 2));
  s.down = Fft(static_cast<size_t>(length[0]));
  s.across = RealFft(static_cast<size_t>(length[1]));
  // A picture's spectrum by columns.
  op.scratch_per_worker = (Bytes(s.down.size() + 1) * s.across.outputs() * sizeof(Complex)).count();
  return {};
}

void transform(const State& s, const float* x, Complex* work, ComplexOf<float>* y) {
  const size_t height = s.down.size(), outputs = s.across.outputs();
  Complex* row = work + height * outputs;
  const int64_t used = std::min(s.columns, static_cast<int64_t>(s.across.size()));
  for (size_t h = 0; h < height; ++h) {
    std::fill_n(row, outputs, Complex{});
    if (static_cast<int64_t>(h) < s.rows) {
      const float* from = x + static_cast<int64_t>(h) * s.columns;
      for (int64_t i = 0; i < used; ++i) {
        (i % 2 ? row[i / 2].im : row[i / 2].re) = static_cast<double>(from[i]);
      }
      s.across.run(row);
    }
    for (size_t w = 0; w < outputs; ++w) work[w * height + h] = row[w];
  }
  for (size_t w = 0; w < outputs; ++w) {
    Complex* column = work + w * height;
    s.down.run(column);
    for (size_t h = 0; h < height; ++h) {
      y[h * outputs + w] = {static_cast<float>(column[h].re), static_cast<float>(column[h].im)};
    }
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float* x = run.in<float>(0);
  auto* y = run.out<ComplexOf<float>>(0);
  const size_t size = s.down.size() * s.across.outputs();
  run.pool().run(s.pictures, [&](size_t i, int worker) {
    transform(s, x + static_cast<int64_t>(i) * s.rows * s.columns,
              reinterpret_cast<Complex*>(run.scratch(worker)), y + i * size);
  });
}

}  // namespace

extern const OpDef op_rfft2d{check, infer, prepare, eval};

}  // namespace edge
