// FULLY_CONNECTED with weights of int16, whose sums have 64 bits whatever the bias has.
#pragma once

#include "ops/support/matrix.h"

namespace edge {

struct ShortProduct {
  size_t rows = 0, depth = 0, cols = 0;
  const int16_t* weights = nullptr;  // [cols][depth]
  int64_t zero_point = 0;            // of the weights
  std::vector<int64_t> bias;
  std::vector<int32_t> multiplier, exponent;
  requantize::Params params;
};

inline bool has_short_weights(const OpView& op) { return op.in(1).spec.dtype == DType::kInt16; }

// Of a node that check_weighted() has let through.
Status prepare_short_product(PrepareContext& op, const MatrixSpec& spec, ShortProduct* product);
void run_short_product(const EvalContext& run, const ShortProduct& product);

}  // namespace edge
