#include <algorithm>

#include "base/arena.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

size_t packed_bytes(const Kernel& kernel, const Shape& shape) {
  const size_t cols = (shape.cols + kernel.nr - 1) / kernel.nr * kernel.nr;
  return (Bytes(cols) * (1 + shape.taps * shape.depth) * sizeof(float)).count();
}

void pack(const Kernel& kernel, const Shape& shape, const float* data, const float* bias,
          float* packed) {
  const size_t depth = shape.taps * shape.depth;
  const size_t nr = kernel.nr;
  std::fill_n(packed, packed_bytes(kernel, shape) / sizeof(float), 0.0f);
  for (size_t n = 0; n < shape.cols; ++n) {
    float* panel = packed + n / nr * nr * (1 + depth);
    panel[n % nr] = bias == nullptr ? 0.0f : bias[n];
    const bool few = shape.cols - n / nr * nr <= kernel.few;
    for (size_t k = 0; k < depth; ++k) {
      panel[nr + (few ? n % nr * depth + k : k * nr + n % nr)] = data[n * depth + k];
    }
  }
}

void pack_rows(const Kernel& kernel, const Shape& shape, const float* data, float* packed) {
  const size_t nr = kernel.nr, depth = shape.depth;
  for (size_t first = 0; first < shape.cols; first += nr) {
    const size_t cols = std::min(nr, shape.cols - first);
    float* panel = packed + first * (1 + depth);
    std::fill_n(panel, (1 + depth) * nr, 0.0f);
    for (size_t k = 0; k < depth; ++k) {
      const float* row = data + k * shape.cols + first;
      float* to = panel + nr;
      if (cols > kernel.few) {
        std::copy_n(row, cols, to + k * nr);
      } else {
        for (size_t j = 0; j < cols; ++j) to[j * depth + k] = row[j];
      }
    }
  }
}

}  // namespace edge::gemm_f32
