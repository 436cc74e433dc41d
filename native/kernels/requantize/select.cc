#include <cmath>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

static const Kernel kKernels[] = {
#define REQUANTIZE(name, needs, rule) {#name, needs, rule, name},
#include "kernels/requantize/kernels.inc"
#undef REQUANTIZE
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel& select(Features features, Rule rule) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if (k.rule == rule && (k.needs & ~features) == 0) best = &k;
  }
  return *best;
}

Multiplier quantize_multiplier(double real) {
  int e = 0;
  const double fraction = std::frexp(real, &e);  // [0.5, 1)
  int64_t m = static_cast<int64_t>(std::round(fraction * (int64_t{1} << 31)));
  if (m == int64_t{1} << 31) {
    m /= 2;
    ++e;
  }
  if (m == 0 || e < -31) return {0, 0};
  return {static_cast<int32_t>(m), e};
}

}  // namespace edge::requantize
