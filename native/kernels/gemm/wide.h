// Matrix products of int16 rows and 8-bit weights: gemm.h for models with 16-bit activations.
//
//   acc[i][n] = bias[n] + sum_k x[i][k] * (w[n][k] - zw)      64 bits
//   out[i][n] = clamp(R(acc[i][n], n), min, max)              int16, R: requantize/requantize.h
//
// Kernels of Operand::kInt16 take x as it is. They add up in 32 bits, so where the weights do not
// prove that all sums fit, the depth is cut to slices, each a layer of its own.
#pragma once

#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

struct WideWeights {
  size_t cols, depth;
  const int8_t* data;   // [cols][depth]
  int32_t zero_point;   // zw
  const int64_t* bias;  // [cols]
  bool wraps;           // acc has 32 bits and wraps
};

// Immutable once packed; params and bias point to memory that its owner keeps.
struct WideLayer {
  const Kernel* kernel;
  requantize::Rule rule;      // a wide one
  requantize::Params params;  // kWideReduced: with multipliers and exponents
  const requantize::Kernel* requantize;
  bool narrow = false;  // acc fits 32 bits, results too
  const int64_t* bias = nullptr;
  std::vector<Layer> slices;
  std::vector<Arena> packed;
};

// Whether it takes int16 and all steps, and the best of these.
bool is_wide(const Kernel& kernel);
const Kernel& select_wide(Features features);

// Fills slices and packed; the rest is set before, but for `narrow`. False where memory is out.
bool pack(const WideWeights& weights, WideLayer* layer);

size_t block_rows(const WideLayer& layer);
size_t scratch_bytes(const WideLayer& layer);

// As run() of gemm.h; x: [rows].
void run(const WideLayer& layer, const int16_t* const* x, size_t rows, size_t first_col,
         size_t last_col, int16_t* out, size_t out_stride, void* scratch);

}  // namespace edge::gemm
