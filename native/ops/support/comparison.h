// EQUAL, LESS and their like: two broadcast operands, a bool for each element of the result.
#pragma once

#include "ops/support/binary.h"

namespace edge {

// By STABLEHLO_COMPARE's numbers.
enum class Relation { kEqual, kNotEqual, kGreaterEqual, kGreater, kLessEqual, kLess };

// Codes are compared as the real numbers that they stand for, in fixed point (decision 001).
struct Comparison : Binary {
  size_t a = 0, b = 1;  // the inputs, in the order in which they are compared
  bool negated = false;
  bool scaled = false;
  int32_t zero_a = 0, zero_b = 0;
  requantize::Multiplier scale_a{}, scale_b{};
  void (*compare)(const EvalContext& run, const Comparison& state) = nullptr;
};

// One of these is an op's check().
Status check_equality(const OpView& op);
Status check_order(const OpView& op);

Status prepare_comparison(PrepareContext& op, Relation relation);
template <Relation relation>
Status prepare_comparison(PrepareContext& op) {
  return prepare_comparison(op, relation);
}

void eval_comparison(const EvalContext& run);

}  // namespace edge
