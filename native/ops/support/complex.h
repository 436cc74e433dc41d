// Ops that take one real number out of each complex one.
#pragma once

#include "ops/op.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {

template <typename T>
struct ComplexOf {
  T re, im;
};

// complex64 -> float32 or complex128 -> float64.
inline Status check_complex(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kComplex64, DType::kComplex128}));
  const bool wide = op.in(0).spec.dtype == DType::kComplex128;
  return op.expect_output(0, {wide ? DType::kFloat64 : DType::kFloat32});
}

struct ComplexUnary {
  bool wide = false;
  size_t count = 0;
};

inline Status prepare_complex(PrepareContext& op) {
  ComplexUnary& s = op.make_state<ComplexUnary>();
  s.wide = op.in(0).spec.dtype == DType::kComplex128;
  s.count = static_cast<size_t>(op.in(0).spec.shape.count());
  return {};
}

template <typename T, typename F>
void map_complex(const EvalContext& run, size_t count, const F& f) {
  const auto* x = run.in<ComplexOf<T>>(0);
  T* y = run.out<T>(0);
  for_chunks(run.pool(), count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

// y[i] = f(x[i]) for either width.
template <typename F>
void eval_complex(const EvalContext& run, const F& f) {
  const ComplexUnary& s = run.state<ComplexUnary>();
  return s.wide ? map_complex<double>(run, s.count, f) : map_complex<float>(run, s.count, f);
}

}  // namespace edge
