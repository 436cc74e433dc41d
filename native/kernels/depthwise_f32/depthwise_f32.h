// float32 depthwise convolution; the counterpart of depthwise/depthwise.h.
//
//   out[i][c] = clamp(bias[c] + sum_t x[t][i][c / multiplier] * w[t][c], min, max)
//
// x[i * step + t] points to the channels / multiplier floats that pixel i sees through tap t, to
// zeros outside the picture. The sum starts at the bias and goes through the taps in order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::depthwise_f32 {

struct Shape {
  size_t channels;
  size_t multiplier;  // output channels per input channel
  size_t taps;
};

struct Args {
  size_t pixels;
  Shape shape;
  const float* const* x;  // [pixels - 1] * step + taps pointers
  size_t step;
  const float* bias;     // [channels]
  const float* weights;  // [taps][channels]
  float* out;            // [pixels][channels]
  float min;             // -infinity where there is no activation
  float max;
};

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  bool any_multiplier;  // otherwise multiplier = 1 only
  Run run;
};

#define DEPTHWISE_F32(name, needs, any_multiplier) void name(const Args& args);
#include "kernels/depthwise_f32/kernels.inc"
#undef DEPTHWISE_F32

const Kernel& select(Features features, size_t multiplier);
const Kernel* kernels(size_t* count);

}  // namespace edge::depthwise_f32
