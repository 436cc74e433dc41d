#include <algorithm>

#include "base/arena.h"
#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

static const Kernel kKernels[] = {
#define DEPTHWISE(name, needs, cr, kr, any_multiplier) {#name, needs, cr, kr, any_multiplier, name},
#include "kernels/depthwise/kernels.inc"
#undef DEPTHWISE
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

namespace {

size_t acc_stride(const Layer& layer) {
  const size_t cr = layer.kernel->cr;
  return (layer.shape.channels + cr - 1) / cr * cr;
}

// Pixels whose accumulators wait for requantization together: about 8 KB, which stay in L1.
size_t pixels_at_once(const Layer& layer) {
  return std::clamp<size_t>(2048 / acc_stride(layer), 1, 16);
}

}  // namespace

size_t scratch_bytes(const Layer& layer) {
  return align_up(pixels_at_once(layer) * acc_stride(layer) * sizeof(int32_t));
}

void run(const Layer& layer, const void* const* x, size_t step, size_t pixels, void* out,
         void* scratch) {
  const size_t channels = layer.shape.channels;
  const size_t at_once = pixels_at_once(layer);
  const size_t stride = acc_stride(layer);
  int32_t* acc = static_cast<int32_t*>(scratch);
  for (size_t i = 0; i < pixels; i += at_once) {
    const size_t count = std::min(at_once, pixels - i);
    layer.kernel->run(
        {count, layer.shape, x + i * step, step, layer.x_unsigned, layer.packed, acc, stride});
    layer.requantize->run({count, channels, acc, stride, static_cast<uint8_t*>(out) + i * channels,
                           channels, &layer.params, 0});
  }
}

}  // namespace edge::depthwise
