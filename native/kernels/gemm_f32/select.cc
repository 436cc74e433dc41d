#include <algorithm>

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

static const Kernel kKernels[] = {
#define GEMM_F32(name, needs, mr, nr, few) {#name, needs, mr, nr, few, name},
#include "kernels/gemm_f32/kernels.inc"
#undef GEMM_F32
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel& select(Features features) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if ((k.needs & ~features) == 0) best = &k;
  }
  return *best;
}

void run(const Layer& layer, const float* const* x, size_t x_stride, size_t rows, size_t first_col,
         size_t last_col, float* out, size_t out_stride) {
  const Shape& shape = layer.shape;
  const float* weights = layer.packed + first_col * (1 + shape.taps * shape.depth);
  const size_t mr = layer.kernel->mr;
  for (size_t i = 0; i < rows; i += mr) {
    layer.kernel->run({std::min(mr, rows - i), last_col - first_col, shape.taps, shape.depth, x + i,
                       x_stride, weights, out + i * out_stride + first_col, out_stride, layer.min,
                       layer.max});
  }
}

}  // namespace edge::gemm_f32
