// Fixed-point multipliers and activation ranges as TFLite's reference derives them (decision 001).
#pragma once

#include <cmath>
#include <cstdint>

#include "graph/graph.h"

namespace edge {

// value = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0.
struct Multiplier {
  int32_t multiplier = 0;
  int shift = 0;
};

// Rounds half away from zero; values below 2^-31 become 0. `value` >= 0 and finite.
Multiplier quantize_multiplier(double value);

struct Range {
  int32_t low = 0, high = 0;
};

// The codes that a type has: int8 -128..127, uint8 0..255.
Range type_range(DType type);

// Codes that a fused activation leaves, of a tensor with one scale. kUnsupported for TANH and
// SIGN_BIT, which no kernel of TFLite fuses.
Result<Range> activation_range(Activation activation, const TensorSpec& output);

struct FloatRange {
  float low, high;
};
Result<FloatRange> activation_range(Activation activation);

// A scale's contribution to a multiplier must be positive and finite.
Status check_scales(const Quantization& quant, const char* what);

}  // namespace edge
