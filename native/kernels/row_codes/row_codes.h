// Float rows as int8 codes with a scale of their own, found while running, and back: what surrounds
// the integer product of layers with float inputs and int8 weights ("hybrid"), to TFLite's rules.
//
//   x ~ scale * (q - offset)
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::row_codes {

struct Codes {
  float scale = 1, inverse = 0;
  int32_t offset = 0;
  int32_t low = -127;  // the least code
};

// The least and greatest of n values and 0; NaN counts for nothing.
struct Extent {
  float low, high;
};

// q[i] = clamp(round(x[i] * inverse), low - offset, 127 - offset) + offset; NaN gives the least.
// TFLite's code for x86 rounds by adding a half and cutting off, which takes 0.49999997 for 1; what
// is left of an array behind groups of 8 is rounded exactly, halves away from 0.
struct EncodeArgs {
  const Codes* codes;
  const float* x;
  size_t rough;  // the first so many are rounded as x86 does: roughly(n) of a whole array
  size_t n;
  int8_t* out;
};
inline size_t roughly(size_t n) { return n / 8 * 8; }

// y[i] = clamp((acc[i] - offset * sums[i]) * (row_scale * scale[i]) + bias[i], min, max), in float
// from the product on; the difference wraps. Where `in_turn`, (acc * scale[i]) * row_scale.
struct DecodeArgs {
  size_t n;
  void* y;  // of int32 accumulators, floats in their place
  float row_scale;
  int32_t offset;
  const uint32_t* sums;
  const float* scale;
  const float* bias;
  bool in_turn;
  float min, max;
};

struct Kernel {
  const char* name;
  Features needs;
  Extent (*extent)(const float* x, size_t n);
  void (*encode)(const EncodeArgs& args);
  void (*decode)(const DecodeArgs& args);
};

#define ROW_CODES(isa, needs)                    \
  Extent extent_##isa(const float* x, size_t n); \
  void encode_##isa(const EncodeArgs& args);     \
  void decode_##isa(const DecodeArgs& args);
#include "kernels/row_codes/kernels.inc"
#undef ROW_CODES

const Kernel& select(Features features);
const Kernel* kernels(size_t* count);

// Symmetric: codes -127..127 about offset 0. Asymmetric: -128..127, and 0 has a code.
Codes find(const Kernel& kernel, const float* x, size_t n, bool asymmetric);

}  // namespace edge::row_codes
