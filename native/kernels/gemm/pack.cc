#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"
#include "kernels/stored_weights.h"

namespace edge::gemm {
namespace {

constexpr size_t kListed = sizeof(uint32_t);

size_t ceil_div(size_t n, size_t by) { return (n + by - 1) / by; }

size_t weight_size(const Kernel& kernel) { return kernel.operand == Operand::kInt16 ? 2 : 1; }

size_t round_up(size_t n, size_t step) { return ceil_div(n, step) * step; }

// Columns that the panel of columns from `first` on has room for.
size_t panel_cols(const Layer& layer, size_t first) {
  return std::min<size_t>(layer.kernel->nr, round_up(layer.shape.cols - first, kColumnStep));
}

size_t arrays_bytes(const Kernel& kernel, size_t width) {
  const size_t arrays = 1 + (kernel.operand == Operand::kInt16 ? 0 : 1) +
                        (kernel.finish == requantize::Finish::kNone ? 0 : 2);
  return arrays * width * sizeof(int32_t);
}

// Column j of a panel; `w` is where its weights begin. KR is a constant so that packing keeps up
// with memory.
template <size_t KR, typename T>
void place_steps(size_t taps, size_t depth, size_t stride, const T* column, T* w) {
  for (size_t t = 0; t < taps; ++t) {
    size_t k = 0;
    for (; k + KR <= depth; k += KR, w += stride) std::memcpy(w, column + k, KR * sizeof(T));
    if (k < depth) {
      std::memcpy(w, column + k, (depth - k) * sizeof(T));
      w += stride;
    }
    column += depth;
  }
}

template <typename T>
void place(const Kernel& kernel, const Shape& shape, size_t width, const T* column, T* w) {
  const auto run = kernel.kr == 1   ? place_steps<1, T>
                   : kernel.kr == 2 ? place_steps<2, T>
                   : kernel.kr == 4 ? place_steps<4, T>
                   : kernel.kr == 8 ? place_steps<8, T>
                                    : place_steps<16, T>;
  run(shape.taps, shape.depth, width * kernel.kr, column, w);
}

// Turns the steps of a whole panel to the order of Operand::kChain, and finds their chains.
void make_chains(size_t steps, size_t nr, int8_t* w) {
  uint8_t* chains = reinterpret_cast<uint8_t*>(w + steps * nr * 8);
  std::vector<int8_t> step(nr * 8);
  for (size_t s = 0; s < steps; ++s, w += step.size()) {
    std::copy_n(w, step.size(), step.begin());
    chains[s] = kFour;
    for (size_t j = 0; j < nr; ++j) {
      const int8_t* k = &step[j * 8];
      for (size_t i = 0; i < 8; ++i) w[j / 4 * 32 + i / 2 * 8 + j % 4 * 2 + i % 2] = k[i];
      for (size_t i = 0; i < 2; ++i) {
        const int low = std::abs(k[i]) + std::abs(k[i + 2]);
        const int high = std::abs(k[i + 4]) + std::abs(k[i + 6]);
        const Chain most = std::max(low, high) > kMostWeight ? kOne
                           : low + high > kMostWeight        ? kTwo
                                                             : kFour;
        chains[s] = std::max<uint8_t>(chains[s], most);
      }
    }
  }
}

size_t step_count(const Shape& shape, const Kernel& kernel) {
  return shape.taps * ceil_div(shape.depth, kernel.kr);
}

// Of a panel with so many steps.
size_t bytes_of(const Layer& layer, size_t width, size_t steps) {
  const Kernel& kernel = *layer.kernel;
  const size_t chains = kernel.operand == Operand::kChain ? steps : 0;
  const Bytes list = kernel.zeros == 0 ? Bytes(0) : (Bytes(steps) + layer.shape.taps + 1) * kListed;
  return align_up(Bytes(steps) * width * kernel.kr * weight_size(kernel) + chains + list +
                  kPanelHeader + arrays_bytes(kernel, width));
}

// Of all columns; behind them may be the panel that adds up x'.
size_t columns_bytes(const Layer& layer, size_t steps) {
  const size_t nr = layer.kernel->nr, rest = layer.shape.cols % nr;
  const size_t last = rest == 0 ? 0 : bytes_of(layer, round_up(rest, kColumnStep), steps);
  return (Bytes(layer.shape.cols / nr) * bytes_of(layer, nr, steps) + last).count();
}

// Whether a weight of zero adds nothing; otherwise no step is left out, and some column may have a
// c.
bool is_plain(const Weights& weights) {
  return !weights.is_unsigned && weights.zero_point == 0 && weights.negate == nullptr;
}

bool may_sum(const Layer& layer, const Weights& weights) {
  return layer.kernel->operand != Operand::kInt16 && !is_plain(weights);
}

// Whether `n` weights from k on are zero in all columns [first, last).
bool is_zero(const Weights& weights, size_t first, size_t last, size_t k, size_t n) {
  const size_t depth = weights.shape.taps * weights.shape.depth;
  const uint8_t* w = static_cast<const uint8_t*>(weights.data) + first * depth + k;
  for (size_t j = first; j < last; ++j, w += depth) {
    if (std::any_of(w, w + n, [](uint8_t v) { return v != 0; })) return false;
  }
  return true;
}

// Steps that a kernel of listed steps takes in the panel of columns from `first` on.
size_t listed_steps(const Weights& weights, const Kernel& kernel, size_t first) {
  const Shape& shape = weights.shape;
  const size_t last = std::min(shape.cols, first + kernel.nr);
  size_t count = 0;
  for (size_t t = 0; t < shape.taps; ++t) {
    for (size_t k = 0; k < shape.depth; k += kernel.kr) {
      const size_t n = std::min<size_t>(kernel.kr, shape.depth - k);
      count += !is_zero(weights, first, last, t * shape.depth + k, n);
    }
  }
  return count;
}

// Steps that the fullest panel takes.
size_t most_steps(const Weights& weights, const Kernel& kernel) {
  if (kernel.zeros == 0 || !is_plain(weights)) return step_count(weights.shape, kernel);
  size_t most = 0;
  for (size_t n = 0; n < weights.shape.cols; n += kernel.nr) {
    most = std::max(most, listed_steps(weights, kernel, n));
  }
  return most;
}

struct Panel {
  PanelHeader* header;
  int32_t *b, *c, *first, *second;  // `first`, `second`: what Finish needs
  uint8_t* w;

  Panel(const Layer& layer, uint8_t* at, size_t width) {
    header = reinterpret_cast<PanelHeader*>(at);
    b = reinterpret_cast<int32_t*>(at + kPanelHeader);
    c = b + (layer.kernel->operand == Operand::kInt16 ? 0 : width);
    first = c + width;
    second = first + width;
    w = at + kPanelHeader + arrays_bytes(*layer.kernel, width);
  }
};

// Puts all steps of a panel, or, to be listed and if `drop`, those that are not zero, where they
// belong. Behind those of Operand::kChain are their chains.
template <typename T>
void place_listed(const Layer& layer, const T* all, bool drop, const Panel& panel) {
  const Kernel& kernel = *layer.kernel;
  const size_t taps = layer.shape.taps, step = size_t{kernel.nr} * kernel.kr;
  const uint8_t* chain =
      reinterpret_cast<const uint8_t*>(all + step_count(layer.shape, kernel) * step);
  std::vector<uint32_t> list;
  std::vector<uint8_t> chains;
  T* w = reinterpret_cast<T*>(panel.w);
  for (size_t t = 0; t < taps; ++t) {
    const size_t tap = list.size();
    list.push_back(0);
    for (size_t k = 0; k < layer.shape.depth; k += kernel.kr, all += step, ++chain) {
      if (drop && std::all_of(all, all + step, [](T v) { return v == 0; })) continue;
      w = std::copy_n(all, step, w);
      ++list[tap];
      list.push_back(static_cast<uint32_t>(k * sizeof(T)));
      if (kernel.operand == Operand::kChain) chains.push_back(*chain);
    }
  }
  panel.header->steps = list.size() - taps;
  std::copy(chains.begin(), chains.end(), reinterpret_cast<uint8_t*>(w));
  panel.header->list =
      round_up(panel.header->steps * step * sizeof(T) + chains.size(), sizeof(uint32_t));
  std::memcpy(panel.w + panel.header->list, list.data(), list.size() * sizeof(uint32_t));
}

template <typename T>
void pack_panels(const Weights& weights, Layer* layer, uint8_t* packed) {
  const Kernel& kernel = *layer->kernel;
  const Shape& shape = weights.shape;
  const size_t nr = kernel.nr, depth = shape.taps * shape.depth;
  int32_t x_zero = weights.x_zero_point;
  const bool is_signed = kernel.operand == Operand::kInt8 || kernel.operand == Operand::kChain;
  if (is_signed && weights.is_unsigned) x_zero -= 128;
  if (kernel.operand == Operand::kUint8 && !weights.is_unsigned) x_zero += 128;
  StoredWeights<T> column;
  std::vector<requantize::Bounds> bounds(nr);
  std::vector<T> listed;  // all steps of a panel, and chains
  const size_t steps = step_count(shape, kernel);
  for (size_t first = 0; first < shape.cols; first += nr) {
    const size_t width = panel_cols(*layer, first);
    const Panel panel(*layer, packed + first / nr * panel_bytes(*layer), width);
    const size_t cols = std::min(nr, shape.cols - first);
    if (kernel.zeros != 0) listed.assign(steps * (nr * kernel.kr + 1), 0);
    T* w = kernel.zeros != 0 ? listed.data() : reinterpret_cast<T*>(panel.w);
    for (size_t j = 0; j < cols; ++j) {
      const size_t n = first + j;
      const bool negate = weights.negate != nullptr && weights.negate[n];
      const uint32_t bias = weights.bias ? static_cast<uint32_t>(weights.bias[n]) : 0;
      column.load(static_cast<const uint8_t*>(weights.data) + n * depth, depth, 1,
                  weights.is_unsigned, weights.zero_point, negate);
      place(kernel, shape, width, column.values.data(), w + j * kernel.kr);
      panel.b[j] = column.folded_bias(bias, x_zero, negate);
      bounds[j] = column.bounds(bias, negate, weights.x_zero_point, weights.is_unsigned);
      if (column.c == 0) continue;
      panel.c[j] = column.c;
      panel.header->sums = 1;
      layer->sums = true;
    }
    if (kernel.operand == Operand::kChain) make_chains(steps, width, reinterpret_cast<int8_t*>(w));
    panel.header->steps = steps;
    if (kernel.zeros != 0) place_listed(*layer, listed.data(), is_plain(weights), panel);
    panel.header->finish = requantize::prepare_finish(kernel.finish, layer->params, first, cols,
                                                      bounds.data(), panel.first, panel.second);
  }
}

}  // namespace

double zero_share(const Weights& weights, const Kernel& kernel) {
  if (!is_plain(weights)) return 0;
  size_t all = 0, taken = 0;
  for (size_t n = 0; n < weights.shape.cols; n += kernel.nr) {
    all += step_count(weights.shape, kernel);
    taken += listed_steps(weights, kernel, n);
  }
  return all == 0 ? 0 : static_cast<double>(all - taken) / static_cast<double>(all);
}

size_t panel_bytes(const Layer& layer) { return bytes_of(layer, layer.kernel->nr, layer.steps); }

size_t packed_bytes(const Layer& layer, const Weights& weights) {
  const size_t steps = most_steps(weights, *layer.kernel);
  const size_t sums = may_sum(layer, weights) ? bytes_of(layer, kColumnStep, steps) : 0;
  return (Bytes(columns_bytes(layer, steps)) + sums).count();
}

const void* sum_panel(const Layer& layer) {
  return static_cast<const uint8_t*>(layer.packed) + columns_bytes(layer, layer.steps);
}

void pack(const Weights& weights, Layer* layer, void* memory) {
  uint8_t* packed = static_cast<uint8_t*>(memory);
  std::memset(packed, 0, packed_bytes(*layer, weights));
  layer->packed = packed;
  layer->sums = false;
  layer->steps = most_steps(weights, *layer->kernel);
  if (layer->kernel->operand == Operand::kInt16) {
    pack_panels<int16_t>(weights, layer, packed);
    return;
  }
  pack_panels<int8_t>(weights, layer, packed);
  if (!layer->sums) return;
  const Kernel& kernel = *layer->kernel;
  const std::vector<int8_t> ones(weights.shape.taps * weights.shape.depth, 1);
  const Panel last(*layer, packed + columns_bytes(*layer, layer->steps), kColumnStep);
  last.header->ones = 1;
  last.header->steps = layer->steps;
  std::vector<int8_t> listed(kernel.zeros != 0 ? layer->steps * (kColumnStep * kernel.kr + 1) : 0);
  int8_t* w = kernel.zeros != 0 ? listed.data() : reinterpret_cast<int8_t*>(last.w);
  place(kernel, weights.shape, kColumnStep, ones.data(), w);
  if (kernel.operand == Operand::kChain) make_chains(layer->steps, kColumnStep, w);
  if (kernel.zeros != 0) place_listed(*layer, listed.data(), false, last);
}

}  // namespace edge::gemm
