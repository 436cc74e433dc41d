#include <algorithm>
#include <cstring>
#include <vector>

#include "base/arena.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/stored_weights.h"

namespace edge::depthwise {
namespace {

size_t ceil_div(size_t n, size_t by) { return (n + by - 1) / by; }

const uint8_t* channel(const Weights& weights, size_t c) {
  return static_cast<const uint8_t*>(weights.data) + c;
}

uint32_t bias_of(const Weights& weights, size_t c) {
  return weights.bias ? static_cast<uint32_t>(weights.bias[c]) : 0;
}

bool negated(const Weights& weights, size_t c) {
  return weights.negate != nullptr && weights.negate[c];
}

// Where channel `c` of a block of kTaps lies.
size_t place_of(const Kernel& kernel, size_t c) {
  return kernel.wide && kernel.kr == 2 ? (c & 3) | (c & 4) << 1 | (c & 8) >> 1 : c;
}

void pack_taps(const Weights& weights, const Layer& layer, uint8_t* block) {
  const Shape& shape = layer.shape;
  const size_t cr = layer.kernel->cr, kr = layer.kernel->kr, taps = shape.height * shape.width;
  StoredWeights<int16_t> column;
  for (size_t c = 0; c < shape.channels; ++c) {
    if (c > 0 && c % cr == 0) block += block_bytes(layer);
    const bool negate = negated(weights, c);
    column.load(channel(weights, c), taps, shape.channels, weights.is_unsigned, weights.zero_point,
                negate);
    const size_t at = place_of(*layer.kernel, c % cr);
    int16_t* w = reinterpret_cast<int16_t*>(block + cr * sizeof(int32_t)) + at * kr;
    for (size_t t = 0; t < taps; ++t) w[t / kr * cr * kr + t % kr] = column.values[t];
    reinterpret_cast<int32_t*>(block)[at] =
        column.folded_bias(bias_of(weights, c), weights.x_zero_point, negate);
  }
}

// All but kTaps.
template <typename T>
void pack_blocks(const Weights& weights, const Layer& layer, uint8_t* block) {
  const Shape& shape = layer.shape;
  const Kernel& kernel = *layer.kernel;
  const size_t cr = kernel.cr, height = shape.height, rows = rows_at_once(kernel.layout, shape);
  const size_t kr = cell_rows(kernel.layout), column_cells = kr ? cells(kernel.layout, shape) : 0;
  int32_t x_zero = weights.x_zero_point;
  if (kernel.x_signed && weights.is_unsigned) x_zero -= 128;
  if (!kernel.x_signed && !weights.is_unsigned) x_zero += 128;
  StoredWeights<T> column;
  std::vector<requantize::Bounds> bounds(cr);
  for (size_t first = 0; first < shape.channels; first += cr, block += block_bytes(layer)) {
    BlockHeader* header = reinterpret_cast<BlockHeader*>(block);
    int32_t* b = reinterpret_cast<int32_t*>(block + kBlockHeader);
    T* w = reinterpret_cast<T*>(b + 4 * cr);
    const size_t count = std::min(cr, shape.channels - first);
    header->pairs = 1;
    for (size_t j = 0; j < count; ++j) {
      const size_t c = first + j;
      const bool negate = negated(weights, c);
      column.load(channel(weights, c), height * shape.width, shape.channels, weights.is_unsigned,
                  weights.zero_point, negate);
      const auto& values = column.values;
      if (kernel.layout == Layout::kBytes) {
        for (size_t t = 0; t < values.size(); ++t) w[t * cr + j] = values[t];
        // Two of -128 would not fit.
        if (std::count(values.begin(), values.end(), -128) > 1) header->pairs = 0;
      }
      for (size_t row = 0; kr != 0 && row < rows; ++row) {
        for (size_t t = 0; t < values.size(); ++t) {
          const size_t y = row * shape.row_step + t % height;
          const size_t cell = (row * shape.width + t / height) * column_cells + y / kr;
          w[(cell * cr + j) * kr + y % kr] = values[t];
        }
      }
      b[j] = column.folded_bias(bias_of(weights, c), x_zero, negate);
      b[cr + j] = column.c;
      header->sums |= column.c != 0;
      bounds[j] =
          column.bounds(bias_of(weights, c), negate, weights.x_zero_point, weights.is_unsigned);
    }
    header->finish = requantize::prepare_finish(kernel.finish, layer.params, first, count,
                                                bounds.data(), b + 2 * cr, b + 3 * cr);
  }
}

}  // namespace

size_t block_bytes(const Layer& layer) {
  const Kernel& kernel = *layer.kernel;
  const Shape& shape = layer.shape;
  if (kernel.layout == Layout::kTaps) {
    const size_t steps = ceil_div(shape.height * shape.width, kernel.kr);
    return ((Bytes(steps) * kernel.kr * sizeof(int16_t) + sizeof(int32_t)) * kernel.cr).count();
  }
  const Bytes bytes = kernel.layout == Layout::kBytes
                          ? Bytes(shape.width) * shape.height
                          : Bytes(rows_at_once(kernel.layout, shape)) * shape.width *
                                cells(kernel.layout, shape) * 4;
  return align_up((bytes + 4 * sizeof(int32_t)) * kernel.cr + kBlockHeader);
}

size_t packed_bytes(const Layer& layer) {
  return (Bytes(ceil_div(layer.shape.channels, layer.kernel->cr)) * block_bytes(layer)).count();
}

void pack(const Weights& weights, Layer* layer, void* packed) {
  std::memset(packed, 0, packed_bytes(*layer));
  layer->packed = packed;
  const auto run = layer->kernel->layout == Layout::kTaps    ? pack_taps
                   : layer->kernel->layout == Layout::kPairs ? pack_blocks<int16_t>
                                                             : pack_blocks<int8_t>;
  run(weights, *layer, static_cast<uint8_t*>(packed));
}

}  // namespace edge::depthwise
