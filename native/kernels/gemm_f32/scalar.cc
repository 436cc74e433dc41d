// The definition.
#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

void gemm_f32_4x8_scalar(const Args& args) {
  const float* panel = args.weights;
  for (size_t n0 = 0; n0 < args.cols; n0 += 8) {
    const size_t cols = args.cols - n0 < 8 ? args.cols - n0 : 8;
    for (size_t i = 0; i < args.rows; ++i) {
      const float* w = panel;
      float sum[8];
      for (size_t n = 0; n < 8; ++n) sum[n] = w[n];
      w += 8;
      for (size_t t = 0; t < args.taps; ++t) {
        const float* x = args.x[t * args.x_stride + i];
        for (size_t k = 0; k < args.depth; ++k, w += 8) {
          for (size_t n = 0; n < 8; ++n) sum[n] += x[k] * w[n];
        }
      }
      for (size_t n = 0; n < cols; ++n) {
        const float v = sum[n] < args.min ? args.min : sum[n];
        args.out[i * args.out_stride + n0 + n] = v > args.max ? args.max : v;
      }
    }
    panel += 8 * (1 + args.taps * args.depth);
  }
}

}  // namespace edge::gemm_f32
