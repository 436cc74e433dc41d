#include "kernels/depthwise_f32/depthwise_f32.h"

namespace edge::depthwise_f32 {

static const Kernel kKernels[] = {
#define DEPTHWISE_F32(name, needs, any_multiplier) {#name, needs, any_multiplier, name},
#include "kernels/depthwise_f32/kernels.inc"
#undef DEPTHWISE_F32
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel& select(Features features, size_t multiplier) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if ((k.needs & ~features) == 0 && (k.any_multiplier || multiplier == 1)) best = &k;
  }
  return *best;
}

}  // namespace edge::depthwise_f32
