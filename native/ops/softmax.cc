// SOFTMAX: y[j] = exp(beta * x[j]) / sum_k exp(beta * x[k]) over the last dimension.
#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "ops/op.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

struct State {
  const softmax::Kernel* kernel = nullptr;
  softmax::Table table{};
  size_t rows = 0, depth = 0, row_bytes = 0;
  float beta = 1;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_attributes<SoftmaxAttributes>());
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kFloat32}));
  const DType type = op.in(0).spec.dtype;
  if (op.out(0).spec.dtype != type) return op.expect_output(0, {type});
  if (type == DType::kFloat32) return {};
  EDGE_TRY(op.expect_quantized(op.in(0)));
  EDGE_TRY(op.expect_quantized(op.out(0)));
  const TensorSpec& y = op.out(0).spec;
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
  if (type != DType::kFloat32) softmax::make_table(op.in(0).spec.scale(), s.beta, &s.table);
  Features features;
  EDGE_TRY(active_features(&features));
  const softmax::Op kind = type == DType::kInt8    ? softmax::Op::kI8
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
    s.kernel->run({rows, s.depth, run.in<uint8_t>(0) + first * s.row_bytes,
                   run.out<uint8_t>(0) + first * s.row_bytes, &s.table, s.beta});
  });
}

}  // namespace

extern const OpDef op_softmax{check, infer, prepare, eval};

}  // namespace edge
