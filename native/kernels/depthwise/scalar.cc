// The definition, for every multiplier.
#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

template <typename X>
static void taps(const Args& args) {
  const Shape& shape = args.shape;
  const size_t count = shape.height * shape.width;
  for (size_t i = 0; i < args.pixels; ++i) {
    const void* const* x = args.x + i * args.shape.stride * args.shape.height;
    const uint8_t* block = static_cast<const uint8_t*>(args.weights);
    for (size_t c0 = 0; c0 < shape.channels; c0 += 8) {
      const uint32_t* bias = reinterpret_cast<const uint32_t*>(block);
      const int16_t* w = reinterpret_cast<const int16_t*>(bias + 8);
      for (size_t c = c0; c < c0 + 8 && c < shape.channels; ++c) {
        uint32_t sum = bias[c - c0];  // unsigned: wraps
        for (size_t t = 0; t < count; ++t) {
          const int32_t value = static_cast<const X*>(x[t])[c / shape.multiplier];
          sum += static_cast<uint32_t>(value * w[t * 8 + c - c0]);
        }
        args.acc[i * args.acc_stride + c] = static_cast<int32_t>(sum);
      }
      block = reinterpret_cast<const uint8_t*>(w + count * 8);
    }
  }
}

void depthwise_x8w16_any_8c1_scalar(const Args& args) {
  const auto run = args.x_unsigned ? taps<uint8_t> : taps<int8_t>;
  run(args);
}
void depthwise_x16w16_any_8c1_scalar(const Args& args) { taps<int16_t>(args); }

}  // namespace edge::depthwise
