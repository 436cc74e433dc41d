// QUANTIZE and DEQUANTIZE between float32 and 8-bit codes.
#pragma once

#include "kernels/elementwise/elementwise.h"
#include "ops/op.h"

namespace edge {

struct Conversion {
  size_t outer = 1, channels = 1, inner = 1;  // elements, in this order; one scale a channel
  std::vector<float> scale;                   // [channels]
  std::vector<int32_t> zero_point;            // [channels]
  const elementwise::KernelConvert* kernel = nullptr;
};

// Positive, finite scales, one or one a channel, and zero points within the type's codes.
Status check_codes(const TensorSpec& codes);

// `codes` is the 8-bit side. kInvalidArgument where a changed input shape no longer has the
// channels that the file has scales for.
Status prepare_conversion(PrepareContext& op, const TensorSpec& codes, elementwise::Convert signed8,
                          elementwise::Convert unsigned8, Conversion* state);

// `in_size` and `out_size`: bytes of an element.
void eval_conversion(const EvalContext& run, const Conversion& state, size_t in_size,
                     size_t out_size);

}  // namespace edge
