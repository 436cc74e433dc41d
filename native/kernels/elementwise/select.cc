#include <cstring>

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {

#define KERNEL(name, needs, op) {#name, needs, op, name},

static const Kernel8 kKernels8[] = {
#define BINARY8 KERNEL
#include "kernels/elementwise/kernels.inc"
};
static const KernelLut kKernelsLut[] = {
#define LUT KERNEL
#include "kernels/elementwise/kernels.inc"
};
static const KernelConvert kKernelsConvert[] = {
#define CONVERT KERNEL
#include "kernels/elementwise/kernels.inc"
};
static const KernelF32 kKernelsF32[] = {
#define BINARY_F32 KERNEL
#include "kernels/elementwise/kernels.inc"
};

namespace {

template <typename K, size_t N, typename Op>
const K& best(const K (&kernels)[N], Features features, Op op) {
  const K* found = nullptr;
  for (const K& k : kernels) {
    if (k.op == op && (k.needs & ~features) == 0) found = &k;
  }
  return *found;
}

template <typename K, size_t N>
const K* all(const K (&kernels)[N], size_t* count) {
  *count = N;
  return kernels;
}

}  // namespace

const Kernel8& select(Features features, Op8 op) { return best(kKernels8, features, op); }
const KernelLut& select(Features features, Lut op) { return best(kKernelsLut, features, op); }
const KernelConvert& select(Features features, Convert op) {
  return best(kKernelsConvert, features, op);
}
const KernelF32& select(Features features, OpF32 op) { return best(kKernelsF32, features, op); }

const Kernel8* kernels8(size_t* count) { return all(kKernels8, count); }
const KernelLut* kernels_lut(size_t* count) { return all(kKernelsLut, count); }
const KernelConvert* kernels_convert(size_t* count) { return all(kKernelsConvert, count); }
const KernelF32* kernels_f32(size_t* count) { return all(kKernelsF32, count); }

}  // namespace edge::elementwise
