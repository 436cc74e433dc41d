// The definition.
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

template <bool kListed>
static void multiply(const Args& args) {
  const PanelHeader& header = *static_cast<const PanelHeader*>(args.panel);
  const uint32_t* bias =
      reinterpret_cast<const uint32_t*>(static_cast<const uint8_t*>(args.panel) + kPanelHeader);
  const int16_t* weights = reinterpret_cast<const int16_t*>(bias + 16);
  for (size_t i = 0; i < args.rows; ++i) {
    uint32_t sum[16];  // unsigned: wraps
    for (size_t n = 0; n < 16; ++n) sum[n] = bias[n];
    const int16_t* w = weights;
    const uint32_t* list = kListed ? list_of(header, weights) : nullptr;
    for (size_t t = 0; t < args.taps; ++t) {
      const int16_t* x = static_cast<const int16_t*>(args.x[t * args.x_stride + i]);
      const size_t steps = kListed ? *list++ : args.depth;
      for (size_t s = 0; s < steps; ++s, w += 16) {
        const size_t k = kListed ? *list++ / sizeof *x : s;
        for (size_t n = 0; n < 16; ++n) sum[n] += static_cast<uint32_t>(x[k] * w[n]);
      }
    }
    for (size_t n = 0; n < 16; ++n) args.acc[i * 16 + n] = static_cast<int32_t>(sum[n]);
  }
}

void gemm_x8w16_4x16c1_scalar(const Args& args) { multiply<false>(args); }
void gemm_x8w16_4x16s1_scalar(const Args& args) { multiply<true>(args); }

}  // namespace edge::gemm
