#include "base/arena.h"
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

size_t scratch_bytes(size_t in_cols, size_t channels) {
  return ((Bytes(in_cols) * channels + 16) * 2 * sizeof(float)).count();
}

}  // namespace edge::resize
