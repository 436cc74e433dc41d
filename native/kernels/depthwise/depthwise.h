// Integer depthwise convolution: each output channel sees one input channel.
//
//   acc[j][i][c] = bias[c] + sum_fx sum_fy (x - zx) * (w[fy][fx][c] - zw)
//     with x = x[i * stride + fx * dilation][j * row_step + fy][c / multiplier]
//   out[j][i][c] = clamp(R(acc[j][i][c], c) + zero_point, min, max)      R: requantize/requantize.h
//
//   j in [0, rows)      rows of output, one or a few       x: int8 or uint8, zx its zero point,
//                                                             or int16 (out too) and zx is 0
//   i in [0, pixels)    output pixels of a row             w: int8 or uint8, zw its zero point
//   c in [0, channels)  output channels                    acc: int32, wraps
//   fy in [0, height), fx in [0, width): the window
//
// x[column * column_rows + row] points to the channels / multiplier values of a pixel of the input,
// to a buffer filled with zx outside the picture. Neighbouring windows share columns, and rows of
// output that are computed together share their pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"
#include "kernels/requantize/requantize.h"

namespace edge::depthwise {

struct Shape {
  size_t channels;
  size_t multiplier;  // output channels per input channel
  size_t height, width;
  size_t stride = 1;    // columns from one output pixel to the next
  size_t dilation = 1;  // columns from one cell of a window to the next
  size_t row_step = 0;  // as `stride`, downwards; 0 where rows of a column are not neighbours
  bool wide = false;    // x and out are int16; sums wrap at 32 bits
};

// What a kernel wants of weights; the meaning of w', c and b is that of gemm/gemm.h.
//
//   kTaps   accumulators are stored, another pass requantizes; one row at a time; dilation is 1.
//           Blocks of cr channels: int32 b[cr], then w' = w - zw as int16
//           [ceil(height * width / kr)][cr][kr], columns of the window one after the other. Of
//           int16 x and kr = 2, channels lie as 0-3, 8-11, 4-7, 12-15.
//   kQuads  int8, rows in fours: a column is cut to quads of 4 rows, whose bytes lie beside each
//           other for a dot product; where the window leaves rows of its quads free, further rows
//           of output are computed from the same quads. Blocks of cr channels:
//             BlockHeader, to 64 bytes
//             int32 b[cr], int32 c[cr]
//             float scale[cr] | int32 multiplier[cr], float offset[cr] | int32 exponent[cr]
//             w' as int8 [rows][width][quads][cr][4], zero in rows outside of the window
//   kPairs  the same with pairs of 2 rows and w' = w - zw as int16 [rows][width][pairs][cr][2]
//   kBytes  int8, one row at a time, blocks as for kQuads but for
//             w' as int8 [width][height][cr]
enum class Layout : uint8_t { kTaps, kQuads, kPairs, kBytes };

// kQuads, kPairs: a window is no higher; kBytes: it has no more cells, so that sums of x' fit
// int16.
constexpr size_t kMostRows = 64;
constexpr size_t kMostTaps = 255;

struct BlockHeader {
  requantize::Finishing finish;
  int32_t sums;   // whether any c is not zero
  int32_t pairs;  // whether two products of any channel fit int16
};
constexpr size_t kBlockHeader = 64;

// What one call of a kernel computes: `pixels` pixels of `rows` rows, channels from `first` on.
//   kTaps   all channels, of one row; acc[pixel][acc_stride]
//   others  up to kGroup channels; of blocks that it may not finish, acc[row][pixel][kGroup]
constexpr size_t kGroup = 64;

struct Args {
  size_t pixels;
  size_t rows;
  Shape shape;
  size_t first, count;   // channels
  const void* const* x;  // [columns][column_rows]
  bool x_unsigned;       // kTaps
  uint8_t flip;          // otherwise: 0x80 where x' is x with its sign bit flipped, otherwise 0
  const void* weights;   // the block of channel `first`
  int32_t* acc;          // written in whole blocks of cr
  size_t acc_stride;     // kTaps: >= channels rounded up to cr
  uint8_t* out;          // otherwise: channel `first` of the first pixel, pixels `channels` apart
  size_t out_row;        // otherwise: bytes from one row to the next
  uint8_t out_flip;      // otherwise: as in gemm/gemm.h
  requantize::Output output;
  void* columns;  // kQuads, kPairs: memory for columns_bytes()
};

using Run = void (*)(const Args& args);

// Named depthwise_<x><w>_<cr>c<kr>_<isa>; those for any multiplier say `any`.
struct Kernel {
  const char* name;
  Features needs;
  Layout layout;
  uint8_t cr, kr;
  requantize::Finish finish;
  bool x_signed;        // unless kTaps: x' is int8, otherwise uint8
  bool any_multiplier;  // otherwise multiplier = 1 only
  bool wide;            // kTaps: x is int16
  Run run;
};

#define DEPTHWISE(name, needs, layout, cr, kr, finish, x_signed, any_multiplier, wide) \
  void name(const Args& args);
#include "kernels/depthwise/kernels.inc"
#undef DEPTHWISE

const Kernel& select(Features features, const Shape& shape);
// Whether the kernel takes such a layer.
bool suits(const Kernel& kernel, const Shape& shape);
const Kernel* kernels(size_t* count);

// Rows of a quad or pair, 0 in other layouts; quads or pairs of a column; rows of output computed
// together; and rows of pointers that a column has.
static inline size_t cell_rows(Layout layout) {
  return layout == Layout::kQuads ? 4 : layout == Layout::kPairs ? 2 : 0;
}
static inline size_t cells(Layout layout, const Shape& shape) {
  return (shape.height + cell_rows(layout) - 1) / cell_rows(layout);
}
static inline size_t rows_at_once(Layout layout, const Shape& shape) {
  if (cell_rows(layout) == 0 || shape.row_step == 0) return 1;
  return (cell_rows(layout) * cells(layout, shape) - shape.height) / shape.row_step + 1;
}
static inline size_t column_rows(Layout layout, const Shape& shape) {
  return shape.height + (rows_at_once(layout, shape) - 1) * shape.row_step;
}

// Weights as a model file holds them, but column by column.
struct Weights {
  const void* data;              // [width][height][channels]
  bool is_unsigned;              // uint8, otherwise int8; x and out too unless wide
  int32_t zero_point;            // zw
  int32_t x_zero_point;          // zx
  const int32_t* bias;           // [channels], or null for zeros
  const bool* negate = nullptr;  // [channels]: acc is negated, for scales below zero; null: none
};

// All that the rows of one convolution share. Immutable; points to memory that its owner keeps.
struct Layer {
  const Kernel* kernel;
  Shape shape;
  bool is_unsigned;
  const void* packed;
  const requantize::Kernel* requantize;
  requantize::Params params;
};

// Bytes of one block and of layer.packed; of the layer, kernel and shape are looked at.
size_t block_bytes(const Layer& layer);
size_t packed_bytes(const Layer& layer);
// Fills `packed`, which is layer->packed, aligned to kAlignment; layer->params are set before.
void pack(const Weights& weights, Layer* layer, void* packed);

// Of the memory, aligned to kAlignment, that each thread gives to run().
size_t scratch_bytes(const Layer& layer);

// Up to rows_at_once() rows of output, `out_row` bytes apart, and any number of pixels of each:
// writes element i * channels + c of row j. May read kOverread bytes past a pixel's channels.
void run(const Layer& layer, const void* const* x, size_t pixels, size_t rows, uint8_t* out,
         size_t out_row, void* scratch);

}  // namespace edge::depthwise
