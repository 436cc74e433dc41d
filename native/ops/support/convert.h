// QUANTIZE and DEQUANTIZE between float32 and codes.
#pragma once

#include "kernels/elementwise/elementwise.h"
#include "ops/op.h"

namespace edge {

struct Conversion {
  size_t outer = 1, channels = 1, inner = 1;  // elements, in this order; one scale a channel
  std::vector<float> scale;                   // [channels]
  std::vector<int32_t> zero_point;            // [channels]
  size_t in_size = sizeof(float), out_size = sizeof(float);  // bytes of an element
  const elementwise::KernelConvert* kernel = nullptr;
};

// Positive, finite scales, one or one a channel, and zero points within the type's codes.
Status check_codes(const TensorSpec& codes);

// `codes` is that side. kInvalidArgument where a changed input shape no longer has the
// channels that the file has scales for.
struct Converts {
  elementwise::Convert i8, u8, i16;
};
Status prepare_conversion(PrepareContext& op, const TensorSpec& codes, const Converts& kernels,
                          Conversion* state);

// `x`: the codes or floats to convert.
void eval_conversion(const EvalContext& run, const Conversion& state, const uint8_t* x);

}  // namespace edge
