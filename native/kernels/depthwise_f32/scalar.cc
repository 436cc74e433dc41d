// The definition, for every multiplier.
#include "kernels/depthwise_f32/depthwise_f32.h"

namespace edge::depthwise_f32 {

void depthwise_f32_any_scalar(const Args& args) {
  const Shape& shape = args.shape;
  for (size_t i = 0; i < args.pixels; ++i) {
    const float* const* x = args.x + i * args.step;
    for (size_t c = 0; c < shape.channels; ++c) {
      float sum = args.bias[c];
      for (size_t t = 0; t < shape.taps; ++t) {
        sum += x[t][c / shape.multiplier] * args.weights[t * shape.channels + c];
      }
      const float v = sum < args.min ? args.min : sum;
      args.out[i * shape.channels + c] = v > args.max ? args.max : v;
    }
  }
}

}  // namespace edge::depthwise_f32
