// The kernels of SSE4.1 and AVX2: 16 channels at a time over the taps of one pixel, then a vector's
// worth, then one by one.
#pragma once

#include "kernels/depthwise_f32/depthwise_f32.h"
#include "kernels/x86_vectors.h"

namespace edge::depthwise_f32 {

using namespace x86;  // of this file's flags only, all static

template <size_t kVectors>
static void block(const Args& args, const float* const* x, float* out, size_t c) {
  const size_t channels = args.shape.channels;
  Floats sum[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) sum[v] = loadu_floats(args.bias + c + v * kLanes);
  const float* w = args.weights + c;
  for (size_t t = 0; t < args.shape.taps; ++t, w += channels) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      sum[v] =
          multiply_add(loadu_floats(x[t] + c + v * kLanes), loadu_floats(w + v * kLanes), sum[v]);
    }
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
    const Floats low = max_floats(all_floats(args.min), sum[v]);
    storeu_floats(out + c + v * kLanes, min_floats(all_floats(args.max), low));
  }
}

static void one_channel(const Args& args, const float* const* x, float* out, size_t c) {
  Floats sum = all_floats(args.bias[c]);
  for (size_t t = 0; t < args.shape.taps; ++t) {
    const float w = args.weights[t * args.shape.channels + c];
    sum = multiply_add(all_floats(x[t][c]), all_floats(w), sum);
  }
  sum = min_floats(all_floats(args.max), max_floats(all_floats(args.min), sum));
  out[c] = sum[0];
}

static void run_channels(const Args& args) {
  const size_t channels = args.shape.channels;
  for (size_t i = 0; i < args.pixels; ++i) {
    const float* const* x = args.x + i * args.step;
    float* out = args.out + i * channels;
    size_t c = 0;
    for (; c + 16 <= channels; c += 16) block<16 / kLanes>(args, x, out, c);
    for (; c + kLanes <= channels; c += kLanes) block<1>(args, x, out, c);
    for (; c < channels; ++c) one_channel(args, x, out, c);
  }
}

}  // namespace edge::depthwise_f32
