// Scales and activation ranges as TFLite's reference derives them (decision 001).
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace edge {

struct Range {
  int32_t low = 0, high = 0;
};

// The codes that a type has: int8 -128..127, uint8 0..255, int16 -32768..32767.
Range type_range(DType type);

// Codes that a fused activation leaves, of a tensor with one scale. kUnsupported for TANH and
// SIGN_BIT, which no kernel of TFLite fuses.
Result<Range> activation_range(Activation activation, const TensorSpec& output);

struct FloatRange {
  float low, high;
};
Result<FloatRange> activation_range(Activation activation);

// One positive, finite scale and the zero point 0, as TFLite wants them of int16.
Status expect_symmetric(const Value& value);

// A scale's contribution to a multiplier must be positive and finite.
Status check_scales(const Quantization& quant, const char* what);

}  // namespace edge
