// StableHLO's functions of two tensors of one type and one shape. Codes are taken as they are, and
// integers wrap.
#pragma once

#include "ops/support/by_type.h"
#include "ops/support/movement.h"
#include "ops/support/parallel.h"

namespace edge {

struct SameShape {
  DType type = DType::kFloat32;
  size_t count = 0;
};

inline Status check_same_shape(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}
inline Status check_numbers(const OpView& op) {
  return check_same_shape(
      op, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kUInt8, DType::kInt16,
           DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kInt64, DType::kBool});
}

inline Status infer_same_shape(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &a = op.in(0).spec.shape, &b = op.in(1).spec.shape;
  if (a != b) {
    return invalid_model(
        format("shapes %s and %s differ", to_string(a).c_str(), to_string(b).c_str()));
  }
  (*shapes)[0] = a;
  return {};
}

inline Status prepare_same_shape(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  op.make_state<SameShape>() = {x.dtype, static_cast<size_t>(x.shape.count())};
  return {};
}

template <typename T, typename F>
void map_same_shape(const EvalContext& run, const F& f) {
  for_chunks(run.pool(), run.state<SameShape>().count, [&](size_t begin, size_t end) {
    const T *a = run.in<T>(0), *b = run.in<T>(1);
    T* out = run.out<T>(0);
    for (size_t i = begin; i < end; ++i) out[i] = f(a[i], b[i]);
  });
}

// F()(a, b) takes and returns elements of any of check_numbers()'s types.
template <typename F>
void eval_numbers(const EvalContext& run) {
  const DType type = run.state<SameShape>().type;
  if (type == DType::kBool) {
    return map_same_shape<uint8_t>(run, [](uint8_t a, uint8_t b) {
      return uint8_t{F()(int32_t{a != 0}, int32_t{b != 0}) != 0};
    });
  }
  by_type<float, double, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t>(
      type, [&](auto of) {
        using T = decltype(of);
        map_same_shape<T>(run, [](T a, T b) { return F()(a, b); });
      });
}

// F()(a, b) of the bits of integers, or of 0 and 1 for bools.
inline Status check_bits(const OpView& op) {
  return check_same_shape(op, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16,
                               DType::kInt32, DType::kUInt32, DType::kInt64, DType::kBool});
}
template <typename F>
void eval_bits(const EvalContext& run) {
  const DType type = run.state<SameShape>().type;
  if (type == DType::kBool) {
    return map_same_shape<uint8_t>(
        run, [](uint8_t a, uint8_t b) { return static_cast<uint8_t>(F()(a != 0, b != 0)); });
  }
  by_size(dtype_size(type), [&](auto of) {
    using T = decltype(of);
    map_same_shape<T>(run, [](T a, T b) { return static_cast<T>(F()(a, b)); });
  });
}

}  // namespace edge
