#include <algorithm>
#include <cmath>

#include "kernels/row_codes/row_codes.h"

namespace edge::row_codes {

static const Kernel kKernels[] = {
#define ROW_CODES(isa, needs) {"row_codes_" #isa, needs, extent_##isa, encode_##isa, decode_##isa},
#include "kernels/row_codes/kernels.inc"
#undef ROW_CODES
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

Codes find(const Kernel& kernel, const float* x, size_t n, bool asymmetric) {
  const Extent e = kernel.extent(x, n);
  Codes codes;
  if (!asymmetric) {
    const float range = std::max(-e.low, e.high);
    if (range == 0) return codes;
    codes.scale = range / 127;
    codes.inverse = 127 / range;
    return codes;
  }
  codes.low = -128;
  if (e.low == e.high) return codes;
  const double low = static_cast<double>(e.low), high = static_cast<double>(e.high);
  const double scale = static_cast<double>(e.high - e.low) / 255;
  // The zero point that follows from the end of the range that is nearer to 0.
  const double zero = 128 + std::abs(low / scale) < 127 + std::abs(high / scale)
                          ? -128 - low / scale
                          : 127 - high / scale;
  codes.offset = zero >= -128 ? static_cast<int32_t>(std::round(std::min(zero, 127.))) : -128;
  codes.scale = static_cast<float>(scale);
  codes.inverse = codes.scale == 0 ? 0 : 1.f / codes.scale;
  return codes;
}

}  // namespace edge::row_codes
