// Transposed convolution: each pixel of the input adds its filter's window to the output,
//   y[b][iy * s - p + fy][ix * s - p + fx][n] += x[b][iy][ix][k] * w[n][fy][fx][k].
//
// Pixels of the output whose places have the same remainder by the stride see the same cells of the
// filter, in plain neighbouring pixels of the input. So it is stride * stride convolutions of
// stride 1, and each writes every stride-th pixel.
#pragma once

#include "ops/support/matrix.h"

namespace edge {

struct TransposedAxis {
  int in = 0, out = 0, filter = 0, stride = 1;
  int before = 0;  // rows or columns of the scattered windows that are cut off
};

struct Transposed {
  std::vector<Matrix> phases;
};

// `spec` lacks weights and taps only.
Status prepare_transposed(PrepareContext& op, const TransposedAxis& h, const TransposedAxis& w,
                          MatrixSpec spec, Transposed* state);
void eval_transposed(const EvalContext& run, size_t input);

// Of input x and filter w.
int64_t transposed_macs(const OpView& op, const Operands& operands);

}  // namespace edge
