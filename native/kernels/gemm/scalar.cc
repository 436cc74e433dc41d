// The definition.
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

void gemm_x8w16_4x16c1_scalar(const Args& args) {
  const uint32_t* bias =
      reinterpret_cast<const uint32_t*>(static_cast<const uint8_t*>(args.panel) + kPanelHeader);
  const int16_t* weights = reinterpret_cast<const int16_t*>(bias + 16);
  for (size_t i = 0; i < args.rows; ++i) {
    uint32_t sum[16];  // unsigned: wraps
    for (size_t n = 0; n < 16; ++n) sum[n] = bias[n];
    const int16_t* w = weights;
    for (size_t t = 0; t < args.taps; ++t) {
      const int16_t* x = static_cast<const int16_t*>(args.x[t * args.x_stride + i]);
      for (size_t k = 0; k < args.depth; ++k, w += 16) {
        for (size_t n = 0; n < 16; ++n) sum[n] += static_cast<uint32_t>(x[k] * w[n]);
      }
    }
    for (size_t n = 0; n < 16; ++n) args.acc[i * 16 + n] = static_cast<int32_t>(sum[n]);
  }
}

}  // namespace edge::gemm
