#include <algorithm>
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

namespace {

// One panel of nr columns from `first` on; reads each column once, writes the panel in order. KR is
// the kernel's kr as a constant: unrolled, packing keeps up with the memory.
template <size_t KR>
void pack_panel(const Kernel& kernel, const Weights& weights, size_t first, uint8_t* panel) {
  const size_t depth = weights.shape.taps * weights.shape.depth, nr = kernel.nr;
  const size_t cols = std::min(nr, weights.shape.cols - first);
  const uint8_t* data = static_cast<const uint8_t*>(weights.data) + first * depth;
  int32_t* bias = reinterpret_cast<int32_t*>(panel);
  int16_t* out = reinterpret_cast<int16_t*>(panel + nr * sizeof(int32_t));
  // int8 and uint8 alike: the flipped sign bit puts an int8 into uint8's order, 128 above.
  const uint8_t flip = weights.is_unsigned ? 0 : 0x80;
  const int32_t zero = weights.zero_point + (weights.is_unsigned ? 0 : 128);
  if (cols < nr || depth % KR != 0) std::memset(panel, 0, panel_bytes(kernel, weights.shape));
  for (size_t j = 0; j < cols; ++j) {
    const bool negate = weights.negate != nullptr && weights.negate[first + j];
    const int32_t sign = negate ? -1 : 1;
    const uint8_t* column = data + j * depth;
    int16_t* w = out + j * KR;
    uint32_t sum = 0;  // unsigned: accumulators wrap
    size_t k = 0;
    for (; k + KR <= depth; k += KR, w += nr * KR) {
      for (size_t q = 0; q < KR; ++q) {
        const int32_t value = ((column[k + q] ^ flip) - zero) * sign;
        w[q] = static_cast<int16_t>(value);
        sum += static_cast<uint32_t>(value);
      }
    }
    for (size_t q = 0; k + q < depth; ++q) {
      const int32_t value = ((column[k + q] ^ flip) - zero) * sign;
      w[q] = static_cast<int16_t>(value);
      sum += static_cast<uint32_t>(value);
    }
    const uint32_t b = weights.bias == nullptr ? 0 : static_cast<uint32_t>(weights.bias[first + j]);
    bias[j] = static_cast<int32_t>((negate ? 0 - b : b) - static_cast<uint32_t>(weights.x_zero_point) * sum);
  }
}

}  // namespace

void pack(const Kernel& kernel, const Weights& weights, void* packed) {
  uint8_t* panel = static_cast<uint8_t*>(packed);
  const auto run = kernel.kr == 1 ? pack_panel<1> : kernel.kr == 2 ? pack_panel<2> : pack_panel<4>;
  for (size_t n = 0; n < weights.shape.cols; n += kernel.nr) {
    run(kernel, weights, n, panel);
    panel += panel_bytes(kernel, weights.shape);
  }
}

}  // namespace edge::gemm
