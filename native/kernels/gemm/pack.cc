#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"

namespace edge::gemm {
namespace {

size_t ceil_div(size_t n, size_t by) { return (n + by - 1) / by; }

size_t panel_count(const Layer& layer) { return ceil_div(layer.shape.cols, layer.kernel->nr); }

size_t weight_size(const Kernel& kernel) { return kernel.operand == Operand::kInt16 ? 2 : 1; }

size_t arrays_bytes(const Kernel& kernel) {
  const size_t arrays =
      1 + (kernel.operand == Operand::kInt16 ? 0 : 1) + (kernel.finish == Finish::kNone ? 0 : 2);
  return arrays * kernel.nr * sizeof(int32_t);
}

// One column on its way into a panel.
template <typename T>
struct Column {
  std::vector<T> stored;  // w'
  int32_t c = 0;
  uint32_t sum = 0;      // of `stored`; unsigned: accumulators wrap
  double magnitude = 0;  // sum |w - zw|

  void load(const Weights& weights, size_t n, bool negate) {
    const size_t depth = weights.shape.taps * weights.shape.depth;
    stored.resize(depth);
    const uint8_t* data = static_cast<const uint8_t*>(weights.data) + n * depth;
    // int8 and uint8 alike: the flipped sign bit takes 128 off a uint8.
    const uint8_t flip = weights.is_unsigned ? 0x80 : 0;
    const int32_t zero = weights.zero_point - (weights.is_unsigned ? 128 : 0);
    const int32_t sign = negate ? -1 : 1;
    int32_t least = 0, most = 0, total = 0;
    int64_t absolute = 0;
    for (size_t k = 0; k < depth; ++k) {
      const int32_t w = (static_cast<int8_t>(data[k] ^ flip) - zero) * sign;
      stored[k] = static_cast<T>(w);
      least = std::min(least, w);
      most = std::max(most, w);
      absolute += std::abs(w);
      total += w;
    }
    c = 0;
    magnitude = static_cast<double>(absolute);
    sum = static_cast<uint32_t>(total);
    if (least >= std::numeric_limits<T>::min() && most <= std::numeric_limits<T>::max()) return;
    const uint8_t invert = static_cast<uint8_t>(flip ^ (negate ? 0xff : 0));
    c = negate ? zero + 1 : -zero;
    sum = 0;
    for (size_t k = 0; k < depth; ++k) {
      stored[k] = static_cast<T>(static_cast<int8_t>(data[k] ^ invert));
      sum += static_cast<uint32_t>(stored[k]);
    }
  }
};

// Column j of a panel; `w` is where its weights begin.
template <typename T>
void place(const Kernel& kernel, const Shape& shape, const T* column, T* w) {
  const size_t kr = kernel.kr, step = kernel.nr * kr;
  for (size_t t = 0; t < shape.taps; ++t) {
    for (size_t k = 0; k < shape.depth; k += kr, w += step) {
      std::memcpy(w, column, std::min(kr, shape.depth - k) * sizeof(T));
      column += std::min(kr, shape.depth - k);
    }
  }
}

struct Panel {
  PanelHeader* header;
  int32_t *b, *c, *first, *second;  // `first`, `second`: what Finish needs
  uint8_t* w;
};

Panel panel_at(const Layer& layer, void* packed, size_t index) {
  const Kernel& kernel = *layer.kernel;
  uint8_t* base = static_cast<uint8_t*>(packed) + index * panel_bytes(layer);
  Panel p;
  p.header = reinterpret_cast<PanelHeader*>(base);
  p.b = reinterpret_cast<int32_t*>(base + kPanelHeader);
  p.c = p.b + (kernel.operand == Operand::kInt16 ? 0 : kernel.nr);
  p.first = p.c + kernel.nr;
  p.second = p.first + kernel.nr;
  p.w = base + kPanelHeader + arrays_bytes(kernel);
  return p;
}

// Lets the kernel requantize the panel of columns [first, first + cols) if it can do that exactly.
void finish_panel(const Layer& layer, size_t first, size_t cols, const double* bound,
                  const Panel& panel) {
  const requantize::Params& params = layer.params;
  const Finish finish = layer.kernel->finish;
  if (finish == Finish::kNone || params.multiplier == nullptr) return;
  const int32_t* multiplier = params.multiplier + first;
  const int32_t* exponent = params.exponent + first;
  if (finish == Finish::kFixed) {
    if (!std::all_of(exponent, exponent + cols, [](int32_t e) { return e <= 0; })) return;
    std::copy_n(multiplier, cols, panel.first);
    std::copy_n(exponent, cols, panel.second);
  } else {
    requantize::FloatForm forms[256];
    const int32_t reach = std::max(params.max - params.zero_point, params.zero_point - params.min);
    requantize::find_float_forms(multiplier, exponent, bound, cols, reach, forms);
    for (size_t j = 0; j < cols; ++j) {
      if (!forms[j].proved) return;
      std::memcpy(panel.first + j, &forms[j].scale, sizeof(float));
      std::memcpy(panel.second + j, &forms[j].offset, sizeof(float));
    }
  }
  panel.header->finish = 1;
}

template <typename T>
void pack_panels(const Weights& weights, Layer* layer, void* packed) {
  const Kernel& kernel = *layer->kernel;
  const Shape& shape = weights.shape;
  const size_t nr = kernel.nr, depth = shape.taps * shape.depth;
  int32_t x_zero = weights.x_zero_point;
  if (kernel.operand == Operand::kInt8 && weights.is_unsigned) x_zero -= 128;
  if (kernel.operand == Operand::kUint8 && !weights.is_unsigned) x_zero += 128;
  Column<T> column;
  for (size_t first = 0; first < shape.cols; first += nr) {
    const Panel panel = panel_at(*layer, packed, first / nr);
    const size_t cols = std::min(nr, shape.cols - first);
    double bound[256];
    for (size_t j = 0; j < cols; ++j) {
      const size_t n = first + j;
      const bool negate = weights.negate != nullptr && weights.negate[n];
      column.load(weights, n, negate);
      place(kernel, shape, column.stored.data(), reinterpret_cast<T*>(panel.w) + j * kernel.kr);
      const uint32_t bias = weights.bias ? static_cast<uint32_t>(weights.bias[n]) : 0;
      // What a window of zx alone would add, taken off again.
      const uint32_t all =
          column.sum + static_cast<uint32_t>(column.c) * static_cast<uint32_t>(depth);
      panel.b[j] =
          static_cast<int32_t>((negate ? 0 - bias : bias) - static_cast<uint32_t>(x_zero) * all);
      if (column.c != 0) {
        panel.c[j] = column.c;
        panel.header->sums = 1;
        layer->sums = true;
      }
      bound[j] = std::abs(static_cast<double>(static_cast<int32_t>(bias))) + 255 * column.magnitude;
    }
    finish_panel(*layer, first, cols, bound, panel);
  }
}

}  // namespace

size_t panel_bytes(const Layer& layer) {
  const Kernel& kernel = *layer.kernel;
  const size_t steps = layer.shape.taps * ceil_div(layer.shape.depth, kernel.kr);
  return align_up(kPanelHeader + arrays_bytes(kernel) +
                  steps * kernel.nr * kernel.kr * weight_size(kernel));
}

size_t packed_bytes(const Layer& layer) {
  const bool sums = layer.kernel->operand != Operand::kInt16;
  return (panel_count(layer) + (sums ? 1 : 0)) * panel_bytes(layer);
}

void pack(const Weights& weights, Layer* layer, void* packed) {
  std::memset(packed, 0, packed_bytes(*layer));
  layer->packed = packed;
  layer->sums = false;
  if (layer->kernel->operand == Operand::kInt16) {
    pack_panels<int16_t>(weights, layer, packed);
    return;
  }
  pack_panels<int8_t>(weights, layer, packed);
  // Behind the columns, a panel whose first column adds up x'.
  const std::vector<int8_t> ones(weights.shape.taps * weights.shape.depth, 1);
  place(*layer->kernel, weights.shape, ones.data(),
        reinterpret_cast<int8_t*>(panel_at(*layer, packed, panel_count(*layer)).w));
}

}  // namespace edge::gemm
