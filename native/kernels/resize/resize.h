// One row of a picture resized bilinearly: each pixel is a weighted mean of four pixels of two
// rows.
//
//   tl, tr = top[low], top[high];  bl, br = bottom[low], bottom[high] of the pixel's place
//   mean = tl * near_top * near_low + bl * near_bottom * near_low +
//          tr * near_top * near_high + br * near_bottom * near_high
//
//   kF32       out = mean, from left to right, every product and sum rounded to float32
//   kU8        out = mean + 0.5 of the same mean, truncated
//   kU8Sixteenths  kU8 where all weights are multiples of 1/16 within [0, 1], as in enlargements by
//              2, 4 or 8: no product or sum of kU8 is rounded then, so that integers do as well
//   kI8, kI16  weights are multiples of 2^-10 given as integers; out = mean / 2^20, rounded half
//              away from zero
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::resize {

// Element i of the output lies between elements low and high of the input.
struct Place {
  size_t low, high;
  float near_low, near_high;  // weights
};

struct Args {
  size_t in_cols, cols, channels;
  const void* top;     // [in_cols][channels]; may be read kOverread bytes past the end
  const void* bottom;  // the same
  float near_top, near_bottom;
  const Place* places;  // [cols]
  void* scratch;        // scratch_bytes(), aligned to kAlignment
  void* out;            // [cols][channels]
};

enum class Op { kF32, kU8, kU8Sixteenths, kI8, kI16 };

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  Op op;
  Run run;
};

#define RESIZE(name, needs, op) void name(const Args& args);
#include "kernels/resize/kernels.inc"
#undef RESIZE

const Kernel& select(Features features, Op op);
const Kernel* kernels(size_t* count);

// Both input rows, weighted, in 32 bits, with room for a vector behind each.
size_t scratch_bytes(size_t in_cols, size_t channels);

}  // namespace edge::resize
