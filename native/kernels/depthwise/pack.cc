#include <cstring>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {
namespace {

size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

size_t block_bytes(const Kernel& kernel, const Shape& shape) {
  return kernel.cr * (sizeof(int32_t) + round_up(shape.taps, kernel.kr) * sizeof(int16_t));
}

}  // namespace

size_t packed_bytes(const Kernel& kernel, const Shape& shape) {
  return round_up(shape.channels, kernel.cr) / kernel.cr * block_bytes(kernel, shape);
}

void pack(const Kernel& kernel, const Weights& weights, void* packed) {
  const Shape& shape = weights.shape;
  const size_t cr = kernel.cr, kr = kernel.kr;
  const uint8_t* data = static_cast<const uint8_t*>(weights.data);
  std::memset(packed, 0, packed_bytes(kernel, shape));
  for (size_t c = 0; c < shape.channels; ++c) {
    uint8_t* block = static_cast<uint8_t*>(packed) + c / cr * block_bytes(kernel, shape);
    int16_t* w = reinterpret_cast<int16_t*>(block + cr * sizeof(int32_t)) + c % cr * kr;
    const bool negate = weights.negate != nullptr && weights.negate[c];
    uint32_t sum = 0;  // unsigned: accumulators wrap
    for (size_t t = 0; t < shape.taps; ++t) {
      const uint8_t byte = data[t * shape.channels + c];
      const int32_t plain =
          (weights.is_unsigned ? byte : static_cast<int8_t>(byte)) - weights.zero_point;
      const int32_t value = negate ? -plain : plain;
      w[t / kr * cr * kr + t % kr] = static_cast<int16_t>(value);
      sum += static_cast<uint32_t>(value);
    }
    const uint32_t bias = weights.bias == nullptr ? 0 : static_cast<uint32_t>(weights.bias[c]);
    const uint32_t signed_bias = negate ? 0 - bias : bias;
    reinterpret_cast<int32_t*>(block)[c % cr] =
        static_cast<int32_t>(signed_bias - static_cast<uint32_t>(weights.x_zero_point) * sum);
  }
}

}  // namespace edge::depthwise
