#include "kernels/extremum/extremum.h"

namespace edge::extremum {

static const Kernel kKernels[] = {
#define EXTREMUM(name, needs) {#name, needs, name},
#include "kernels/extremum/kernels.inc"
#undef EXTREMUM
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

}  // namespace edge::extremum
