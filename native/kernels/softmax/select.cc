#include "kernels/softmax/softmax.h"

namespace edge::softmax {

static const Kernel kKernels[] = {
#define SOFTMAX(name, needs, op) {#name, needs, op, name},
#include "kernels/softmax/kernels.inc"
#undef SOFTMAX
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel& select(Features features, Op op) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if (k.op == op && (k.needs & ~features) == 0) best = &k;
  }
  return *best;
}

}  // namespace edge::softmax
