// Integer matrix product over rows given by pointers: convolution without im2col, fully connected.
//
//   acc[i][n] = bias[n] + sum_t sum_k (x[t][i][k] - zx) * (w[n][t][k] - zw)
//   out[i][n] = clamp(R(acc[i][n], n) + zero_point, min, max)       R: requantize/requantize.h
//
//   i in [0, rows)   output pixels                 x: int8 or uint8, zx its zero point
//   n in [0, cols)   output channels               w: as x, zw its zero point
//   t in [0, taps)   cells of the filter window    acc: int32, wraps
//   k in [0, depth)  input channels
//
// x[t * x_stride + i] points to the `depth` values that row i sees through tap t. Where that lies
// outside the picture it points to a buffer filled with zx. Fully connected and 1x1 convolution
// have taps = 1.
//
// Made once: Layer (kernel, packed weights, requantization); then any number of threads call run().
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

// How a kernel takes pixels (x') and weights (w'); zero points move along. All compute
//
//   acc = sum x' * w' + c * sum x' + b
//
//   kInt16  x' = x as int16, which run() widens once a block; w' = w - zw as int16; c = 0
//   kInt8   x' as int8 (a uint8 less 128), w' = w - zw where all of a column fit int8, and c = 0;
//           otherwise w' = w as int8 and c = -zw. Columns to be negated store -w', or, where that
//           does not fit, ~w' = -w' - 1 and a c that is greater by 1.
//   kUint8  the same, but x' as uint8 (an int8 plus 128); given the panel of ones, acc is [rows],
//           of as many as there are
//   kChain  as kInt8, for kernels that add up products in int16 first, see Chain
//
// and pack() puts what follows from zx and c into b.
enum class Operand : uint8_t { kInt16, kInt8, kUint8, kChain };

// kChain: kr is 8. A lane of int16 takes k, k + 2, k + 4 and k + 6 of a step; the weights say how
// many of these products it holds whatever x' is. Weights of a step lie as [nr / 4][4][4][2]: by
// column / 4, k / 2, column and k. Behind all of them: a Chain for each step.
enum Chain : uint8_t { kFour, kTwo, kOne };
constexpr int kMostWeight = 255;  // sum |w'| of a chain: 255 * 128 fits int16

// A panel: the weights of nr columns, or, for the last ones, of as many as are left, in steps of
// kColumnStep. All arrays are as wide; columns that are not there are zero.
//
//   PanelHeader, to 64 bytes
//   int32 b
//   int32 c                          if Operand is not kInt16
//   float scale  | int32 multiplier  if Finish is kFloat | kFixed
//   float offset | int32 exponent    likewise; the exponent is 0 or below
//   w' as [taps * ceil(depth / kr)][width][kr], zero behind the last k of a tap
//
// A kernel that takes listed steps finds, instead of all steps, those of which any w' is not zero,
// and their list: for each tap their number, and of each of them where in the tap its x' begin, in
// bytes. Panels have as much room as the one with the most steps needs.
struct PanelHeader {
  requantize::Finishing finish;
  int32_t sums;  // whether any c is not zero
  int32_t ones;  // of the panel behind all columns, whose first column adds up x': 1
  size_t steps;  // that are there
  size_t list;   // where the list lies behind w', in bytes; only of listed steps
};
static inline const uint32_t* list_of(const PanelHeader& header, const void* w) {
  return reinterpret_cast<const uint32_t*>(static_cast<const uint8_t*>(w) + header.list);
}
constexpr size_t kPanelHeader = 64;
constexpr size_t kColumnStep = 16;  // divides nr

// Rows of one panel: one tile, or any number of rows where the kernel requantizes. Reads x in steps
// of kr, past `depth`, where w' is zero.
struct Args {
  size_t rows;  // 1..mr if there is `acc`
  size_t cols;  // 1..nr
  size_t taps, depth;
  const void* const* x;  // [taps][x_stride], kInt16: int16
  size_t x_stride;
  uint8_t flip;  // 0x80 where x' is x with its sign bit flipped, otherwise 0
  const void* panel;
  const int32_t* sums;  // [rows], sum x'; null where no c of this panel counts
  int32_t* acc;         // [mr][nr], to be written in whole rows; or null for
  uint8_t* out;         // [rows][out_stride], of which only `cols` are written
  size_t out_stride;
  uint8_t out_flip;           // 0x80 for uint8 outputs: `output` is less 128, the bytes are flipped
  requantize::Output output;  // as int8
};

using Run = void (*)(const Args& args);
// Named gemm_<x><w>_<mr>x<nr>c<kr>_<isa>; with s<kr>, takes listed steps.
struct Kernel {
  const char* name;
  Features needs;
  uint8_t mr, nr, kr;  // kr: 1, 2, 4, 8 or 16
  Operand operand;
  requantize::Finish finish;
  // Of listed steps, otherwise 0. These pay where `zeros` % of the k of a column, and `more`
  // besides, are in steps that are left out: measured.
  uint8_t zeros, more;
  Run run;
};

#define GEMM(name, needs, mr, nr, kr, operand, finish, zeros, more) void name(const Args& args);
#include "kernels/gemm/kernels.inc"
#undef GEMM

// Weights that are zero together in all of a block, kBlockCols columns from a multiple of them on
// by kBlockDepth k of a tap likewise, cost no time on any ISA; on some, smaller blocks will do.
constexpr size_t kBlockCols = 16, kBlockDepth = 8;

const Kernel& select(Features features);  // for weights that are not known, or without zeros
const Kernel* kernels(size_t* count);

// Weights as a model file holds them.
struct Weights {
  Shape shape;
  const void* data;              // [cols][taps][depth]
  bool is_unsigned;              // uint8, otherwise int8; x and out too
  int32_t zero_point;            // zw
  int32_t x_zero_point;          // zx
  const int32_t* bias;           // [cols], or null for zeros
  const bool* negate = nullptr;  // [cols]: acc is negated, for scales below zero; null: none
};

// Of the steps of such a kernel, those whose weights are all zero: 0 to 1.
double zero_share(const Weights& weights, const Kernel& kernel);
// The best for these weights. Its kr is that of select(features), on which their shape may depend.
const Kernel& select(Features features, const Weights& weights);

// All that the tiles of one convolution share. Immutable; points to memory that its owner keeps.
struct Layer {
  const Kernel* kernel;
  Shape shape;
  bool is_unsigned;  // x and out
  const void* packed;
  const requantize::Kernel* requantize;  // null: the output is acc itself, int32
  requantize::Params params;
  bool sums = false;  // set by pack(): some column has a c
  size_t steps = 0;   // likewise: of a panel, at most
};

// Bytes of a whole panel, and of layer.packed, for which kernel and shape are looked at.
size_t panel_bytes(const Layer& layer);
size_t packed_bytes(const Layer& layer, const Weights& weights);
// The panel behind all columns, where layer.sums.
const void* sum_panel(const Layer& layer);
// Fills `packed`, which is layer->packed, aligned to kAlignment; layer->params are set before.
void pack(const Weights& weights, Layer* layer, void* packed);

// Rows that one call of run() takes at most, a multiple of mr, and the memory, aligned to
// kAlignment, that each thread gives to it.
size_t block_rows(const Layer& layer);
size_t scratch_bytes(const Layer& layer);

// `rows` in 1..block_rows rows, columns [first_col, last_col); first_col is a multiple of nr.
// x: [taps][x_stride] pointers. Writes out[i * out_stride + n] (out_stride in elements, out at
// column 0) and nothing else. May read kOverread bytes past the values that x points to.
void run(const Layer& layer, const void* const* x, size_t x_stride, size_t rows, size_t first_col,
         size_t last_col, void* out, size_t out_stride, void* scratch);

}  // namespace edge::gemm
