// 8 channels at a time over the taps of one pixel, then 4, then one by one.
#include "kernels/arm_neon.h"

#include "kernels/depthwise_f32/depthwise_f32.h"

namespace edge::depthwise_f32 {

// v clamped; a NaN stays one.
static float32x4_t clamp(float32x4_t v, const Args& args) {
  return vminq_f32(vmaxq_f32(v, vdupq_n_f32(args.min)), vdupq_n_f32(args.max));
}

template <int kVectors>
static void block(const Args& args, const float* const* x, float* out, size_t c) {
  const size_t channels = args.shape.channels;
  float32x4_t sum[kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) sum[v] = vld1q_f32(args.bias + c + v * 4);
  const float* w = args.weights + c;
  for (size_t t = 0; t < args.shape.taps; ++t, w += channels) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = neon::multiply_add(sum[v], vld1q_f32(x[t] + c + v * 4), vld1q_f32(w + v * 4));
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) vst1q_f32(out + c + v * 4, clamp(sum[v], args));
}

void depthwise_f32_8_neon(const Args& args) {
  const size_t channels = args.shape.channels;
  for (size_t i = 0; i < args.pixels; ++i) {
    const float* const* x = args.x + i * args.step;
    float* out = args.out + i * channels;
    size_t c = 0;
    for (; c + 8 <= channels; c += 8) block<2>(args, x, out, c);
    for (; c + 4 <= channels; c += 4) block<1>(args, x, out, c);
    for (; c < channels; ++c) {
      float32x4_t sum = vld1q_dup_f32(args.bias + c);
      for (size_t t = 0; t < args.shape.taps; ++t) {
        sum = neon::multiply_add(sum, vld1q_dup_f32(x[t] + c),
                                 vld1q_dup_f32(args.weights + t * channels + c));
      }
      vst1q_lane_f32(out + c, clamp(sum, args), 0);
    }
  }
}

}  // namespace edge::depthwise_f32
