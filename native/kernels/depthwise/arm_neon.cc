// 16 channels in four registers, one tap after the other.
#include <arm_neon.h>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

template <bool kUnsigned>
static void channels16(const Args& args, size_t c, const int32_t* bias) {
  for (size_t i = 0; i < args.pixels; ++i) {
    const void* const* x = args.x + i * args.shape.stride * args.shape.height;
    const int16_t* w = reinterpret_cast<const int16_t*>(bias + 16);
    int32x4_t sum[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[v] = vld1q_s32(bias + v * 4);
    for (size_t t = 0; t < args.shape.height * args.shape.width; ++t, w += 16) {
      const uint8x16_t bytes = vld1q_u8(static_cast<const uint8_t*>(x[t]) + c);
      int16x8_t low, high;
      if (kUnsigned) {
        low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
        high = vreinterpretq_s16_u16(vmovl_high_u8(bytes));
      } else {
        low = vmovl_s8(vget_low_s8(vreinterpretq_s8_u8(bytes)));
        high = vmovl_high_s8(vreinterpretq_s8_u8(bytes));
      }
      const int16x8_t w_low = vld1q_s16(w), w_high = vld1q_s16(w + 8);
      sum[0] = vmlal_s16(sum[0], vget_low_s16(low), vget_low_s16(w_low));
      sum[1] = vmlal_high_s16(sum[1], low, w_low);
      sum[2] = vmlal_s16(sum[2], vget_low_s16(high), vget_low_s16(w_high));
      sum[3] = vmlal_high_s16(sum[3], high, w_high);
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vst1q_s32(args.acc + i * args.acc_stride + c + v * 4, sum[v]);
  }
}

void depthwise_x8w16_16c1_neon(const Args& args) {
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  const size_t block_bytes =
      16 * (sizeof(int32_t) + args.shape.height * args.shape.width * sizeof(int16_t));
  for (size_t c = 0; c < args.shape.channels; c += 16, block += block_bytes) {
    const int32_t* bias = reinterpret_cast<const int32_t*>(block);
    if (args.x_unsigned) {
      channels16<true>(args, c, bias);
    } else {
      channels16<false>(args, c, bias);
    }
  }
}

}  // namespace edge::depthwise
