// float32 matrix product over rows given by pointers; the indirect form of gemm/gemm.h.
//
//   out[i][n] = clamp(bias[n] + sum_t sum_k x[t][i][k] * w[n][t][k], min, max)
//
// x[t * mr + i] points to the `depth` floats that row i sees through tap t, to zeros outside the
// picture. The order of summation is bias, then t, then k, one fused or unfused multiply-add each,
// but for a panel of few columns, where it is another, fixed one: a kernel's result depends on
// neither the tile nor the thread that it falls to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::gemm_f32 {

struct Shape {
  size_t cols;
  size_t taps;
  size_t depth;
};

// Packed weights are panels of nr columns, each [nr] bias, then [taps][depth][nr], zero where a
// column is missing. A last panel of at most `few` columns is [nr] bias, then
// [columns][taps][depth].
struct Args {
  size_t rows;  // 1..mr
  size_t cols;
  size_t taps;
  size_t depth;
  const float* const* x;  // [taps][x_stride]
  size_t x_stride;
  const float* weights;  // the first panel
  float* out;            // [rows][out_stride]; exactly `cols` of each row are written
  size_t out_stride;
  float min;
  float max;
};

using Run = void (*)(const Args& args);

// Named gemm_f32_<mr>x<nr>_<isa>.
struct Kernel {
  const char* name;
  Features needs;
  uint8_t mr, nr, few;
  Run run;
};

#define GEMM_F32(name, needs, mr, nr, few) void name(const Args& args);
#include "kernels/gemm_f32/kernels.inc"
#undef GEMM_F32

const Kernel& select(Features features);
const Kernel* kernels(size_t* count);

size_t packed_bytes(const Kernel& kernel, const Shape& shape);
// `data` is [cols][taps][depth]; `bias` [cols] or null; `packed` aligned to kAlignment.
void pack(const Kernel& kernel, const Shape& shape, const float* data, const float* bias,
          float* packed);
// The same of `data` as [depth][cols], without biases; `taps` is 1.
void pack_rows(const Kernel& kernel, const Shape& shape, const float* data, float* packed);

// All that the tiles of one convolution share. Immutable; points to memory that its owner keeps.
struct Layer {
  const Kernel* kernel;
  Shape shape;
  const float* packed;
  float min;  // -infinity where there is no activation
  float max;
};

// Any number of rows, columns [first_col, last_col); first_col is a multiple of nr. x:
// [taps][x_stride] pointers. Writes out[i * out_stride + n] (out at column 0) and nothing else.
void run(const Layer& layer, const float* const* x, size_t x_stride, size_t rows, size_t first_col,
         size_t last_col, float* out, size_t out_stride);

}  // namespace edge::gemm_f32
