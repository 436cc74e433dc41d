#include <cstring>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {
namespace {

size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

size_t panel_bytes(const Kernel& kernel, const Shape& shape) {
  const size_t depth = round_up(shape.taps * shape.depth, kernel.kr);
  return kernel.nr * (sizeof(int32_t) + depth * sizeof(int16_t));
}

}  // namespace

size_t packed_bytes(const Kernel& kernel, const Shape& shape) {
  return round_up(shape.cols, kernel.nr) / kernel.nr * panel_bytes(kernel, shape);
}

void pack(const Kernel& kernel, const Weights& weights, void* packed) {
  const Shape& shape = weights.shape;
  const size_t depth = shape.taps * shape.depth;
  const size_t nr = kernel.nr, kr = kernel.kr;
  const uint8_t* data = static_cast<const uint8_t*>(weights.data);
  std::memset(packed, 0, packed_bytes(kernel, shape));
  for (size_t n = 0; n < shape.cols; ++n) {
    uint8_t* panel = static_cast<uint8_t*>(packed) + n / nr * panel_bytes(kernel, shape);
    int16_t* w = reinterpret_cast<int16_t*>(panel + nr * sizeof(int32_t)) + n % nr * kr;
    const bool negate = weights.negate != nullptr && weights.negate[n];
    uint32_t sum = 0;  // unsigned: accumulators wrap
    for (size_t k = 0; k < depth; ++k) {
      const uint8_t byte = data[n * depth + k];
      const int32_t plain =
          (weights.is_unsigned ? byte : static_cast<int8_t>(byte)) - weights.zero_point;
      const int32_t value = negate ? -plain : plain;
      w[k / kr * nr * kr + k % kr] = static_cast<int16_t>(value);
      sum += static_cast<uint32_t>(value);
    }
    const uint32_t bias = weights.bias == nullptr ? 0 : static_cast<uint32_t>(weights.bias[n]);
    const uint32_t signed_bias = negate ? 0 - bias : bias;
    reinterpret_cast<int32_t*>(panel)[n % nr] =
        static_cast<int32_t>(signed_bias - static_cast<uint32_t>(weights.x_zero_point) * sum);
  }
}

}  // namespace edge::gemm
