// What ops of two broadcast operands have in common.
#pragma once

#include "kernels/elementwise/elementwise.h"
#include "ops/op.h"
#include "ops/support/broadcast.h"
#include "ops/support/quantize.h"

namespace edge {

// Two inputs and one output of one type among `types`.
Status check_binary(const OpView& op, std::initializer_list<DType> types);

// One scale each of both inputs and the output, where they are codes; symmetric ones of int16.
Status check_binary_quantized(const OpView& op);

Status infer_binary(const OpView& op, std::vector<Shape>* shapes);

// State of an op of two operands; derive from it where there is more to prepare.
struct Binary {
  DType type = DType::kFloat32;
  Broadcast shape;
  size_t count_b = 0;  // elements of input 1
  const elementwise::KernelF32* f32 = nullptr;
  FloatRange f32_range{};
};

Status prepare_binary(PrepareContext& op, Binary* state);

// As above, with the float32 kernel and the range that its results are cut to.
Status prepare_binary(PrepareContext& op, elementwise::OpF32 kernel, FloatRange range,
                      Binary* state);
void eval_f32(const EvalContext& run, const Binary& state);

// out[i] = f(a[i], b[i]), where `first` and `second` are the inputs that a and b come from.
template <typename A, typename Out = A, typename B = A, typename F>
void map_binary(const EvalContext& run, const Broadcast& shape, const F& f, size_t first = 0,
                size_t second = 1) {
  for_runs(run.pool(), shape, [&](const Run& r) {
    const A* a = run.in<A>(first) + r.a;
    const B* b = run.in<B>(second) + r.b;
    Out* out = run.out<Out>(0) + r.out;
    if (shape.a_repeats) {
      const A x = *a;
      for (size_t i = 0; i < r.n; ++i) out[i] = f(x, b[i]);
    } else if (shape.b_repeats) {
      const B y = *b;
      for (size_t i = 0; i < r.n; ++i) out[i] = f(a[i], y);
    } else {
      for (size_t i = 0; i < r.n; ++i) out[i] = f(a[i], b[i]);
    }
  });
}

}  // namespace edge
