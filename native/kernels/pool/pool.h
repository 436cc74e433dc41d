// Windows of pixels reduced channel by channel.
//
//   kAverageI8, kAverageI16
//                out[c] = clamp((a > 0 ? a + n / 2 : a - n / 2) / n, min, max), a = sum_t x[t][c],
//   kAverageU8   n = taps, C division
//   kAverageF32  out[c] = clamp(sum_t x[t][c] / n, min, max), summed in the order of t
//   kMaxI8, kMaxU8, kMaxI16, kMaxF32
//                out[c] = clamp(max_t x[t][c], min, max)
//   kSumI8, kSumU8
//                out[c] = out[c] + sum_t x[t][c], int32: MEAN and other windows in several calls
//
// x[t] points to `channels` values; only cells inside the picture are given, so that taps is their
// count. min and max are in the type of x.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::pool {

enum class Op {
  kAverageI8,
  kAverageU8,
  kAverageI16,
  kAverageF32,
  kMaxI8,
  kMaxU8,
  kMaxI16,
  kMaxF32,
  kSumI8,
  kSumU8
};

struct Args {
  size_t taps;  // >= 1; sums of int16 must fit 32 bits
  size_t channels;
  const void* const* x;  // [taps]
  void* out;             // [channels]
  int32_t min;           // integers
  int32_t max;
  float min_f32;  // float
  float max_f32;
};

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  Op op;
  Run run;
};

#define POOL(name, needs, op) void name(const Args& args);
#include "kernels/pool/kernels.inc"
#undef POOL

const Kernel& select(Features features, Op op);
const Kernel* kernels(size_t* count);

}  // namespace edge::pool
