#include "kernels/resize/resize.h"

namespace edge::resize {

static const Kernel kKernels[] = {
#define RESIZE(name, needs, op) {#name, needs, op, name},
#include "kernels/resize/kernels.inc"
#undef RESIZE
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

}  // namespace edge::resize
