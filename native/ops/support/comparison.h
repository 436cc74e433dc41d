// EQUAL, LESS and their like: two broadcast operands, a bool for each element of the result.
#pragma once

#include "ops/support/binary.h"
#include "ops/support/by_type.h"
#include "ops/support/fixed_point.h"

namespace edge {

// Codes are compared as the real numbers that they stand for, in fixed point (decision 001).
struct Comparison : Binary {
  bool scaled = false;
  int32_t zero_a = 0, zero_b = 0;
  requantize::Multiplier a{}, b{};
  void (*eval)(const EvalContext& run) = nullptr;  // where the options name the function
};

// One of these is an op's check().
Status check_equality(const OpView& op);
Status check_order(const OpView& op);

Status prepare_comparison(PrepareContext& op);
Status prepare_comparison(PrepareContext& op, Comparison* state);

template <typename F>
void eval_comparison(const EvalContext& run) {
  const Comparison& s = run.state<Comparison>();
  if (s.scaled) {
    constexpr int kFineBits = 8;
    return by_type<int8_t, uint8_t, int16_t>(s.type, [&](auto of) {
      using T = decltype(of);
      map_binary<T, uint8_t>(run, s.shape, [&](T a, T b) {
        return F()(rescale((a - s.zero_a) * (1 << kFineBits), s.a),
                   rescale((b - s.zero_b) * (1 << kFineBits), s.b));
      });
    });
  }
  if (s.type == DType::kBool) {
    return map_binary<uint8_t>(run, s.shape,
                               [](uint8_t a, uint8_t b) { return F()(a != 0, b != 0); });
  }
  by_type<float, int8_t, uint8_t, int16_t, int32_t, uint32_t, int64_t>(s.type, [&](auto of) {
    using T = decltype(of);
    map_binary<T, uint8_t>(run, s.shape, [](T a, T b) { return F()(a, b); });
  });
}

}  // namespace edge
