// SOFTMAX: y[j] = exp(beta * x[j]) / sum_k exp(beta * x[k]) over the last dimension.
#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "ops/op.h"
#include "ops/support/fixed_point.h"
#include "ops/support/interpolation.h"
#include "ops/support/parallel.h"
#include "ops/support/quantize.h"

namespace edge {
namespace {

// Of int16, as TFLite's reference does it: exp(x - max), and 1 / (1 + x) for x in [0, 1], by
// points.
struct Wide {
  Points exp, reciprocal;
  requantize::Multiplier multiplier{};  // differences of codes to units of 10 / 65535
};

struct State {
  std::unique_ptr<Wide> wide;
  const softmax::Kernel* kernel = nullptr;
  softmax::Table table{};
  size_t rows = 0, depth = 0, row_bytes = 0, out_row_bytes = 0;
  float beta = 1;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_attributes<SoftmaxAttributes>());
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat32}));
  const DType type = op.in(0).spec.dtype;
  const TensorSpec& y = op.out(0).spec;
  if (type == DType::kInt8) {
    EDGE_TRY(op.expect_output(0, {DType::kInt8, DType::kInt16}));
  } else {
    EDGE_TRY(op.expect_output(0, {type}));
  }
  if (type == DType::kFloat32) return {};
  if (type == DType::kInt16) {
    EDGE_TRY(expect_symmetric(op.in(0)));
    EDGE_TRY(expect_symmetric(op.out(0)));
    if (std::abs(y.scale() - 1.f / 32768) <= 0.001f / 32768) return {};
    return invalid_model(
        format("its output must have scale 1/32768, not %g", static_cast<double>(y.scale())));
  }
  EDGE_TRY(op.expect_quantized(op.in(0)));
  if (y.dtype == DType::kInt16) return {};  // whose scale does not count
  EDGE_TRY(op.expect_quantized(op.out(0)));
  if (y.zero_point() != (type == DType::kInt8 ? -128 : 0) ||
      std::abs(y.scale() - 1.f / 256) > 0.001f / 256) {
    return invalid_model(
        format("its output must have scale 1/256 and the lowest code as zero point, not %g and %d",
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

int64_t units(const Wide& w, int32_t difference) { return rescale(difference, w.multiplier); }

void softmax16(const Wide& w, size_t depth, const int16_t* x, int16_t* y) {
  const int32_t most = *std::max_element(x, x + depth);
  const auto cut = [](int64_t v) {
    return static_cast<int32_t>(std::clamp<int64_t>(v, INT16_MIN, INT16_MAX));
  };
  uint32_t sum = 0;  // Q16.15
  for (size_t i = 0; i < depth; ++i) {
    y[i] = interpolate(cut(units(w, x[i] - most) + 32767), w.exp);
    sum += static_cast<uint32_t>(int32_t{y[i]});
  }
  if (sum == 0) sum = 1;
  const int zeros = __builtin_clz(sum);
  // sum = (1 + f) * 2^(31 - zeros) / 2^15, f as a code of the points.
  const int64_t shifted = ((int64_t{sum} << zeros >> 1) + (1 << 13)) >> 14;
  const int64_t reciprocal = interpolate(cut(shifted - (1 << 15) - (1 << 16)), w.reciprocal);
  const int right = 31 - zeros;
  const int64_t half = right > 0 ? int64_t{1} << (right - 1) : 0;
  for (size_t i = 0; i < depth; ++i) {
    y[i] = static_cast<int16_t>(std::max(cut((y[i] * reciprocal + half) >> right), 0));
  }
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const Shape& x = op.in(0).spec.shape;
  const DType type = op.in(0).spec.dtype;
  s.beta = op.attributes<SoftmaxAttributes>().beta;
  if (!std::isfinite(s.beta) || (type != DType::kFloat32 && s.beta < 0)) {
    return invalid_model(format("beta %g", static_cast<double>(s.beta)));
  }
  s.depth = static_cast<size_t>(x[x.rank() - 1]);
  s.rows = static_cast<size_t>(x.count(0, x.rank() - 1));
  s.row_bytes = s.depth * dtype_size(type);
  s.out_row_bytes = s.depth * dtype_size(op.out(0).spec.dtype);
  if (type == DType::kInt16) {
    s.wide = std::make_unique<Wide>();
    const auto exp = [](double v) { return std::exp(v); };
    s.wide->exp = make_points<double>(10.0 / 65535, -65535, 2.0 / 65535, exp);
    const auto reciprocal = [](double v) { return 1.0 / (1.0 + v); };
    s.wide->reciprocal = make_points<double>(1.0 / 65535, 0, 2.0 / 65535, reciprocal);
    const double beta = static_cast<double>(op.in(0).spec.scale() * s.beta);
    EDGE_ASSIGN(s.wide->multiplier, fixed_point(beta / (10.0 / 65535.0)));
    return {};
  }
  if (type != DType::kFloat32) softmax::make_table(op.in(0).spec.scale(), s.beta, &s.table);
  Features features;
  EDGE_TRY(active_features(&features));
  const bool widens = type == DType::kInt8 && op.out(0).spec.dtype == DType::kInt16;
  const softmax::Op kind = widens                  ? softmax::Op::kI8ToI16
                           : type == DType::kInt8  ? softmax::Op::kI8
                           : type == DType::kUInt8 ? softmax::Op::kU8
                                                   : softmax::Op::kF32;
  s.kernel = &op.choose(softmax::select(features, kind), softmax::kernels, features,
                        [&](const softmax::Kernel& k) { return k.op == kind; });
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.depth == 0) return;
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const Chunks chunks = cut(s.rows, (4096 + s.depth - 1) / s.depth, threads);
  run.pool().run(chunks.count, [&](size_t chunk, int) {
    const size_t first = chunk * chunks.size, rows = std::min(chunks.size, s.rows - first);
    if (s.wide) {
      for (size_t r = first; r < first + rows; ++r) {
        softmax16(*s.wide, s.depth, run.in<int16_t>(0) + r * s.depth,
                  run.out<int16_t>(0) + r * s.depth);
      }
      return;
    }
    s.kernel->run({rows, s.depth, run.in<uint8_t>(0) + first * s.row_bytes,
                   run.out<uint8_t>(0) + first * s.out_row_bytes, &s.table, s.beta});
  });
}

}  // namespace

extern const OpDef op_softmax{check, infer, prepare, eval};

}  // namespace edge
