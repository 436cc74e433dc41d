#include <algorithm>
#include <cstring>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {
namespace {

size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

size_t panel_bytes(const Kernel& kernel, const Shape& shape) {
  const size_t depth = round_up(shape.taps * shape.depth, kernel.kr);
  return kernel.nr * (kernel.stored == Stored::kInt16 ? sizeof(int32_t) + depth * sizeof(int16_t)
                                                      : 2 * sizeof(int32_t) + depth);
}

// Puts value(k), k in [0, depth), at w[k / KR][.][k % KR], panel rows being `stride` apart, and
// returns their sum. KR is a constant so that the loop unrolls and packing keeps up with memory.
template <size_t KR, typename T, typename Value>
uint32_t place(size_t depth, size_t stride, T* w, Value value) {
  uint32_t sum = 0;  // unsigned: accumulators wrap
  size_t k = 0;
  for (; k + KR <= depth; k += KR, w += stride) {
    for (size_t q = 0; q < KR; ++q) {
      w[q] = static_cast<T>(value(k + q));
      sum += static_cast<uint32_t>(w[q]);
    }
  }
  for (size_t q = 0; k + q < depth; ++q) {
    w[q] = static_cast<T>(value(k + q));
    sum += static_cast<uint32_t>(w[q]);
  }
  return sum;
}

// One panel of nr columns from `first` on; reads each column once, writes the panel in order.
template <size_t KR, Stored kStored>
void pack_panel(const Kernel& kernel, const Weights& weights, size_t first, uint8_t* panel) {
  const size_t depth = weights.shape.taps * weights.shape.depth, nr = kernel.nr;
  const size_t cols = std::min(nr, weights.shape.cols - first);
  const uint8_t* data = static_cast<const uint8_t*>(weights.data) + first * depth;
  if (cols < nr || depth % KR != 0) std::memset(panel, 0, panel_bytes(kernel, weights.shape));
  int32_t* bias = reinterpret_cast<int32_t*>(panel);
  // int8 and uint8 alike: the flipped sign bit takes 128 off a uint8.
  const uint8_t flip = weights.is_unsigned ? 0x80 : 0;
  const int32_t zero = weights.zero_point - (weights.is_unsigned ? 128 : 0);
  const uint32_t x_zero = static_cast<uint32_t>(weights.x_zero_point);
  for (size_t j = 0; j < cols; ++j) {
    const bool negate = weights.negate != nullptr && weights.negate[first + j];
    const uint8_t* column = data + j * depth;
    const uint32_t plain =
        weights.bias == nullptr ? 0 : static_cast<uint32_t>(weights.bias[first + j]);
    const uint32_t b = negate ? 0 - plain : plain;
    const auto w8 = [&](size_t k) { return static_cast<int8_t>(column[k] ^ flip); };
    if constexpr (kStored == Stored::kInt16) {
      int16_t* w = reinterpret_cast<int16_t*>(bias + nr) + j * KR;
      const int32_t sign = negate ? -1 : 1;
      const uint32_t sum =
          place<KR>(depth, nr * KR, w, [&](size_t k) { return (w8(k) - zero) * sign; });
      bias[j] = static_cast<int32_t>(b - x_zero * sum);
    } else {
      int32_t* coefficient = bias + nr;
      int8_t* w = reinterpret_cast<int8_t*>(coefficient + nr) + j * KR;
      const int32_t c = negate ? zero + 1 : -zero;
      const uint8_t invert = negate ? 0xff : 0;
      const uint32_t sum = place<KR>(depth, nr * KR, w, [&](size_t k) { return w8(k) ^ invert; });
      // What a window of x_zero alone would add, taken off again.
      const uint32_t x_zero8 = x_zero + (weights.is_unsigned ? 0 : 128);
      const uint32_t all = sum + static_cast<uint32_t>(c) * static_cast<uint32_t>(depth);
      bias[j] = static_cast<int32_t>(b - x_zero8 * all);
      coefficient[j] = c;
    }
  }
}

}  // namespace

size_t packed_bytes(const Kernel& kernel, const Shape& shape) {
  return round_up(shape.cols, kernel.nr) / kernel.nr * panel_bytes(kernel, shape);
}

void pack(const Kernel& kernel, const Weights& weights, void* packed) {
  uint8_t* panel = static_cast<uint8_t*>(packed);
  const auto run = kernel.stored == Stored::kInt8 ? pack_panel<4, Stored::kInt8>
                   : kernel.kr == 1               ? pack_panel<1, Stored::kInt16>
                                                  : pack_panel<2, Stored::kInt16>;
  for (size_t n = 0; n < weights.shape.cols; n += kernel.nr) {
    run(kernel, weights, n, panel);
    panel += panel_bytes(kernel, weights.shape);
  }
}

}  // namespace edge::gemm
