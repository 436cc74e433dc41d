// Integer matrix product over rows given by pointers: convolution without im2col, fully connected.
//
//   acc[i][n] = bias[n] + sum_t sum_k (x[t][i][k] - zx) * (w[n][t][k] - zw)
//
//   i in [0, rows)   output pixels                 x: int8 or uint8, zx its zero point
//   n in [0, cols)   output channels               w: as x, zw its zero point
//   t in [0, taps)   cells of the filter window    acc: int32, wraps
//   k in [0, depth)  input channels
//
// x[t * mr + i] points to the `depth` values that row i sees through tap t. Where that lies outside
// the picture it points to a buffer filled with zx. Fully connected and 1x1 convolution have taps
// = 1.
//
// Made once: Layer (kernel, packed weights, requantization); then any number of threads call run().
// Inside, x - zx never happens: with w' = w - zw the sum is sum x * w' + (bias[n] - zx * sum w'),
// and pack() stores the term in brackets as the bias.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"
#include "kernels/requantize/requantize.h"

namespace edge::gemm {

struct Shape {
  size_t cols;
  size_t taps;
  size_t depth;
};

// How a kernel wants weights and pixels.
//
//   kInt16  w' as int16, pixels as int16: sum_K x * w'
//   kInt8   w8 = w as int8 (uint8: less 128), pixels as uint8 (int8: plus 128), where both zero
//           points move along. The products of the zero point zw8 with x are left over, so
//             sum_K (x - zx) * (w8 - zw8) = sum_K x * w8 + c * sum_K x + constant, c = -zw8
//           Negated columns store ~w8 = -w8 - 1, which fits int8, and c = zw8 + 1.
enum class Stored : uint8_t { kInt16, kInt8 };

// The first half of a tile: gathers the pixels of up to mr rows, one row after the other, tap after
// tap: loaded[i][t * depth + k] = x[t * mr + i][k], in the kernel's type. kInt8: the sums of the
// rows follow as int32 behind mr rows. May read kOverread bytes past a row's end; what it leaves
// between K and the row's end is anything.
struct LoadArgs {
  size_t rows;  // 1..mr
  size_t taps;
  size_t depth;
  const void* const* x;  // [taps][mr]
  bool x_unsigned;       // uint8, otherwise int8
  void* loaded;          // [rows][loaded_stride]
  size_t loaded_stride;  // bytes
};

// The second half: acc[i][n] = bias[n] + sum_K loaded[i][K] * weight[n][K], K in [0, taps * depth).
// Packed weights are panels of nr columns, each [nr] int32 of bias, for kInt8 [nr] int32 of c, then
// the weights as [ceil(K / kr)][nr][kr], zero where K or n has no weight.
struct Args {
  size_t rows;   // 1..mr
  size_t cols;   // columns from the first panel on; the last panel may be cut
  size_t depth;  // K
  const void* loaded;
  size_t loaded_stride;  // bytes
  const void* weights;   // the first panel
  int32_t* acc;          // [rows][acc_stride]; written in whole panels
  size_t acc_stride;     // >= cols rounded up to nr
};

using Load = void (*)(const LoadArgs& args);
using Run = void (*)(const Args& args);

// Named gemm_<x><w>_<mr>x<nr>c<kr>_<isa>.
struct Kernel {
  const char* name;
  Features needs;
  uint8_t mr, nr, kr;
  Stored stored;
  Load load;
  Run run;
};

#define GEMM(name, needs, mr, nr, kr, stored) \
  void name##_load(const LoadArgs& args);     \
  void name(const Args& args);
#include "kernels/gemm/kernels.inc"
#undef GEMM

const Kernel& select(Features features);
const Kernel* kernels(size_t* count);

// Weights as a model file holds them.
struct Weights {
  Shape shape;
  const void* data;              // [cols][taps][depth]
  bool is_unsigned;              // uint8, otherwise int8; x too
  int32_t zero_point;            // zw
  int32_t x_zero_point;          // zx
  const int32_t* bias;           // [cols], or null for zeros
  const bool* negate = nullptr;  // [cols]: acc is negated, for scales below zero; null: none
};

size_t packed_bytes(const Kernel& kernel, const Shape& shape);
// `packed`: packed_bytes() bytes, aligned to kAlignment.
void pack(const Kernel& kernel, const Weights& weights, void* packed);

// All that the tiles of one convolution share. Immutable; points to memory that its owner keeps.
struct Layer {
  const Kernel* kernel;
  Shape shape;
  bool x_unsigned;
  const void* packed;
  const requantize::Kernel* requantize;  // null: the output is acc itself, int32
  requantize::Params params;
};

// Of the memory, aligned to kAlignment, that each thread gives to run().
size_t scratch_bytes(const Layer& layer);

// One tile: `rows` in 1..mr rows, columns [first_col, last_col); first_col is a multiple of nr.
// Writes out[i * out_stride + n] (out_stride in elements, out at column 0) and nothing else.
void run(const Layer& layer, const void* const* x, size_t rows, size_t first_col, size_t last_col,
         void* out, size_t out_stride, void* scratch);

}  // namespace edge::gemm
