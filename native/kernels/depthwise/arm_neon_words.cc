// int16 pixels: 8 channels in two registers.
#include <arm_neon.h>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

void depthwise_x16w16_8c1_neon(const Args& args) {
  const size_t taps = args.shape.height * args.shape.width;
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  const size_t block_bytes = 8 * (sizeof(int32_t) + taps * sizeof(int16_t));
  for (size_t c = 0; c < args.shape.channels; c += 8, block += block_bytes) {
    const int32_t* bias = reinterpret_cast<const int32_t*>(block);
    const int16_t* w = reinterpret_cast<const int16_t*>(bias + 8);
    for (size_t i = 0; i < args.pixels; ++i) {
      const void* const* x = args.x + i * args.shape.stride * args.shape.height;
      int32x4_t low = vld1q_s32(bias), high = vld1q_s32(bias + 4);
      for (size_t t = 0; t < taps; ++t) {
        const int16x8_t values = vld1q_s16(static_cast<const int16_t*>(x[t]) + c);
        const int16x8_t weights = vld1q_s16(w + t * 8);
        low = vmlal_s16(low, vget_low_s16(values), vget_low_s16(weights));
        high = vmlal_s16(high, vget_high_s16(values), vget_high_s16(weights));
      }
      int32_t* acc = args.acc + i * args.acc_stride + c;
      vst1q_s32(acc, low);
      vst1q_s32(acc + 4, high);
    }
  }
}

}  // namespace edge::depthwise
