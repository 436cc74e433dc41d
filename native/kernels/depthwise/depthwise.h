// Integer depthwise convolution: each output channel sees one input channel.
//
//   acc[i][c] = bias[c] + sum_t (x[t][i][c / multiplier] - zx) * (w[t][c] - zw)
//
//   i in [0, pixels)    output pixels of one row          x: int8 or uint8, zx its zero point
//   c in [0, channels)  output channels                   w: int8 or uint8, zw its zero point
//   t in [0, taps)      cells of the filter window        acc: int32, wraps
//
// x[i * step + t] points to the channels / multiplier values that pixel i sees through tap t, to a
// buffer filled with zx outside the picture. The caller chooses the order of taps, the same for
// weights and pointers. step = taps gives each pixel its own pointers; where windows overlap, taps
// numbered column by column and step = stride * height let neighbours share them.
// As in gemm/gemm.h, pack() folds both zero points into the bias and w' = w - zw.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"
#include "kernels/requantize/requantize.h"

namespace edge::depthwise {

struct Shape {
  size_t channels;
  size_t multiplier;  // output channels per input channel
  size_t taps;
};

// Packed weights are blocks of cr channels, each [cr] int32 of bias, then int16 w' as
// [ceil(taps / kr)][cr][kr], zero where a tap or a channel is missing.
struct Args {
  size_t pixels;
  Shape shape;
  const void* const* x;  // [pixels - 1] * step + taps pointers
  size_t step;
  bool x_unsigned;  // uint8, otherwise int8; may be read kOverread bytes past the channels
  const void* weights;
  int32_t* acc;       // [pixels][acc_stride]; written in whole blocks of cr
  size_t acc_stride;  // >= channels rounded up to cr
};

using Run = void (*)(const Args& args);

// Named depthwise_<x><w>_<cr>c<kr>_<isa>; those for any multiplier say `any`.
struct Kernel {
  const char* name;
  Features needs;
  uint8_t cr, kr;
  bool any_multiplier;  // otherwise multiplier = 1 only
  Run run;
};

#define DEPTHWISE(name, needs, cr, kr, any_multiplier) void name(const Args& args);
#include "kernels/depthwise/kernels.inc"
#undef DEPTHWISE

const Kernel& select(Features features, size_t multiplier);
const Kernel* kernels(size_t* count);

// Weights as a model file holds them.
struct Weights {
  Shape shape;
  const void* data;              // [taps][channels]
  bool is_unsigned;              // uint8, otherwise int8
  int32_t zero_point;            // zw
  int32_t x_zero_point;          // zx
  const int32_t* bias;           // [channels], or null for zeros
  const bool* negate = nullptr;  // [channels]: acc is negated, for scales below zero; null: none
};

size_t packed_bytes(const Kernel& kernel, const Shape& shape);
// `packed`: packed_bytes() bytes, aligned to kAlignment.
void pack(const Kernel& kernel, const Weights& weights, void* packed);

// All that the rows of one convolution share. Immutable; points to memory that its owner keeps.
struct Layer {
  const Kernel* kernel;
  Shape shape;
  bool x_unsigned;
  const void* packed;
  const requantize::Kernel* requantize;
  requantize::Params params;
};

// Of the memory, aligned to kAlignment, that each thread gives to run().
size_t scratch_bytes(const Layer& layer);

// Any number of pixels of one output row; writes out[i * channels + c].
void run(const Layer& layer, const void* const* x, size_t step, size_t pixels, void* out,
         void* scratch);

}  // namespace edge::depthwise
