// ARG_MAX and ARG_MIN: the index of the largest or smallest element along one axis, the first of
// equal ones. A NaN is neither unless there are only NaNs.
#pragma once

#include "base/cpu.h"
#include "kernels/extremum/extremum.h"
#include "ops/op.h"
#include "ops/support/parallel.h"

namespace edge {

struct ArgState {
  DType type = DType::kFloat32;
  bool wide = false;  // int64 indices
  int64_t outer = 0, extent = 0, inner = 0;
  const extremum::Kernel* bytes = nullptr;  // of 8-bit types along the last axis
};

inline Status check_arg(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt32, DType::kBool}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64}));
  return op.expect_output(0, {DType::kInt32, DType::kInt64});
}

inline Result<int> arg_axis(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> given, op.constant_integers(1));
  if (given.size() != 1) return invalid_model(format("%zu axes, wanted 1", given.size()));
  EDGE_ASSIGN(const int axis, OpView::normalize_axis(given[0], x.rank()));
  if (x[axis] == 0) {
    return invalid_model(format("axis %d of %s is empty", axis, to_string(x).c_str()));
  }
  return axis;
}

inline Status infer_arg(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const int axis, arg_axis(op));
  const Shape& x = op.in(0).spec.shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) (*shapes)[0].push_back(x[i]);
  }
  return {};
}

inline Status prepare_arg(PrepareContext& op) {
  EDGE_ASSIGN(const int axis, arg_axis(op));
  const Shape& x = op.in(0).spec.shape;
  ArgState& s = op.make_state<ArgState>();
  s.type = op.in(0).spec.dtype;
  s.wide = op.out(0).spec.dtype == DType::kInt64;
  if (x.count() == 0) return {};
  s.outer = x.count(0, axis);
  s.extent = x[axis];
  s.inner = x.count(axis + 1, x.rank());
  if (s.inner != 1 || dtype_size(s.type) != 1) return {};
  Features features;
  EDGE_TRY(active_features(&features));
  s.bytes = &extremum::select(features);
  op.kernel = s.bytes->name;
  return {};
}

// flip: see kernels/extremum/extremum.h
inline void eval_arg_bytes(const EvalContext& run, const ArgState& s, uint8_t flip) {
  const size_t extent = static_cast<size_t>(s.extent), outer = static_cast<size_t>(s.outer);
  constexpr size_t kRows = 256;
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const Chunks chunks = cut(outer, (kChunk + extent - 1) / extent, threads);
  run.pool().run(chunks.count, [&](size_t chunk, int) {
    const size_t end = std::min(outer, (chunk + 1) * chunks.size);
    for (size_t r = chunk * chunks.size; r < end; r += kRows) {
      int32_t found[kRows];
      const size_t rows = std::min(kRows, end - r);
      s.bytes->run({rows, extent, run.in<uint8_t>(0) + r * extent, flip, found});
      if (s.wide) {
        std::copy_n(found, rows, run.out<int64_t>(0) + r);
      } else {
        std::copy_n(found, rows, run.out<int32_t>(0) + r);
      }
    }
  });
}

template <typename T, typename Index, bool kMax>
void eval_arg_of(const ArgState& s, const T* in, Index* out) {
  for (int64_t o = 0; o < s.outer; ++o, in += s.extent * s.inner) {
    for (int64_t n = 0; n < s.inner; ++n) {
      int64_t best = 0;
      for (int64_t i = 1; i < s.extent; ++i) {
        const T x = in[i * s.inner + n], y = in[best * s.inner + n];
        if ((kMax ? x > y : x < y) || (y != y && x == x)) best = i;
      }
      *out++ = static_cast<Index>(best);
    }
  }
}

template <typename T, bool kMax>
void eval_arg_type(const EvalContext& run) {
  const ArgState& s = run.state<ArgState>();
  if (s.wide) return eval_arg_of<T, int64_t, kMax>(s, run.in<T>(0), run.out<int64_t>(0));
  eval_arg_of<T, int32_t, kMax>(s, run.in<T>(0), run.out<int32_t>(0));
}

template <bool kMax>
void eval_arg(const EvalContext& run) {
  const ArgState& s = run.state<ArgState>();
  if (s.bytes) {
    const uint8_t sign = s.type == DType::kInt8 ? 0x80 : 0;
    return eval_arg_bytes(run, s, static_cast<uint8_t>(kMax ? sign ^ 0xff : sign));
  }
  switch (s.type) {
    case DType::kFloat32:
      return eval_arg_type<float, kMax>(run);
    case DType::kInt8:
      return eval_arg_type<int8_t, kMax>(run);
    case DType::kInt32:
      return eval_arg_type<int32_t, kMax>(run);
    default:
      return eval_arg_type<uint8_t, kMax>(run);  // of bool too
  }
}

}  // namespace edge
