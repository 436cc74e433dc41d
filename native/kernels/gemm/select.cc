#include <algorithm>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

static const Kernel kKernels[] = {
#define GEMM(name, needs, mr, nr, kr, stored) {#name, needs, mr, nr, kr, stored, name##_load, name},
#include "kernels/gemm/kernels.inc"
#undef GEMM
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

namespace {

// Columns whose accumulators wait for requantization together: mr x 128 stay in the L1 cache.
constexpr size_t kBlock = 128;

// Bytes of one loaded row: vector stores run past the end of K.
size_t loaded_stride(const Layer& layer) {
  const size_t element = layer.kernel->stored == Stored::kInt16 ? 2 : 1;
  return align_up((layer.shape.taps * layer.shape.depth + 32) * element);
}

}  // namespace

size_t scratch_bytes(const Layer& layer) {
  const size_t mr = layer.kernel->mr;
  return align_up(mr * (kBlock * sizeof(int32_t) + loaded_stride(layer) + sizeof(int32_t)));
}

void run(const Layer& layer, const void* const* x, size_t rows, size_t first_col, size_t last_col,
         void* out, size_t out_stride, void* scratch) {
  const Kernel& kernel = *layer.kernel;
  const size_t depth = layer.shape.taps * layer.shape.depth;
  const size_t column_bytes = packed_bytes(kernel, layer.shape) /
                              ((layer.shape.cols + kernel.nr - 1) / kernel.nr) / kernel.nr;
  int32_t* acc = static_cast<int32_t*>(scratch);
  void* loaded = acc + kernel.mr * kBlock;
  const size_t stride = loaded_stride(layer);
  kernel.load({rows, layer.shape.taps, layer.shape.depth, x, layer.x_unsigned, loaded, stride});

  for (size_t n = first_col; n < last_col; n += kBlock) {
    const size_t cols = std::min(kBlock, last_col - n);
    const uint8_t* weights = static_cast<const uint8_t*>(layer.packed) + n * column_bytes;
    kernel.run({rows, cols, depth, loaded, stride, weights, acc, kBlock});
    if (layer.requantize != nullptr) {
      layer.requantize->run(
          {rows, cols, acc, kBlock, static_cast<uint8_t*>(out) + n, out_stride, &layer.params, n});
    } else {
      for (size_t i = 0; i < rows; ++i) {
        std::copy_n(acc + i * kBlock, cols, static_cast<int32_t*>(out) + i * out_stride + n);
      }
    }
  }
}

}  // namespace edge::gemm
