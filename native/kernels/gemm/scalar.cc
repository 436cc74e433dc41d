// The definition of load and run.
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

void gemm_x8w16_4x16c1_scalar_load(const LoadArgs& args) {
  const size_t stride = args.loaded_stride / sizeof(int16_t);
  for (size_t i = 0; i < args.rows; ++i) {
    for (size_t t = 0; t < args.taps; ++t) {
      const uint8_t* x = static_cast<const uint8_t*>(args.x[t * 4 + i]);
      int16_t* loaded = static_cast<int16_t*>(args.loaded) + i * stride + t * args.depth;
      for (size_t k = 0; k < args.depth; ++k) {
        loaded[k] = args.x_unsigned ? x[k] : static_cast<int8_t>(x[k]);
      }
    }
  }
}

void gemm_x8w16_4x16c1_scalar(const Args& args) {
  const int16_t* loaded = static_cast<const int16_t*>(args.loaded);
  const size_t stride = args.loaded_stride / sizeof(int16_t);
  const uint8_t* panel = static_cast<const uint8_t*>(args.weights);
  for (size_t n0 = 0; n0 < args.cols; n0 += 16) {
    const uint32_t* bias = reinterpret_cast<const uint32_t*>(panel);
    const int16_t* w = reinterpret_cast<const int16_t*>(bias + 16);
    for (size_t i = 0; i < args.rows; ++i) {
      uint32_t sum[16];  // unsigned: wraps
      for (size_t n = 0; n < 16; ++n) sum[n] = bias[n];
      for (size_t k = 0; k < args.depth; ++k) {
        const int32_t x = loaded[i * stride + k];
        for (size_t n = 0; n < 16; ++n) sum[n] += static_cast<uint32_t>(x * w[k * 16 + n]);
      }
      for (size_t n = 0; n < 16; ++n) {
        args.acc[i * args.acc_stride + n0 + n] = static_cast<int32_t>(sum[n]);
      }
    }
    panel = reinterpret_cast<const uint8_t*>(w + args.depth * 16);
  }
}

}  // namespace edge::gemm
