#include "kernels/gemm/wide.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace edge::gemm {
namespace {

// As many products of an int16 and a weight of up to 255 fit 32 bits.
constexpr size_t kSlice = 256;

// Whether sums of column n stay within 31 bits, and its results do.
bool fits(const WideWeights& weights, const requantize::Params& params, size_t n) {
  const int8_t* w = weights.data + n * weights.depth;
  int64_t sum = 0;
  for (size_t k = 0; k < weights.depth; ++k) sum += std::abs(w[k] - weights.zero_point);
  const double most =
      static_cast<double>(sum) * 0x1p15 + std::abs(static_cast<double>(weights.bias[n]));
  return most < 0x1p31 && most * std::abs(params.scale[n]) < 0x1p30;
}

struct Scratch {
  int32_t* acc;
  int64_t* total;
  const void** rows;
  size_t bytes;

  Scratch(const WideLayer& layer, void* memory) {
    const size_t tile = size_t{layer.kernel->mr} * layer.kernel->nr;
    uint8_t* base = static_cast<uint8_t*>(memory);
    size_t end = 0;
    const auto take = [&](size_t size) {
      uint8_t* place = base + end;
      end += align_up(size);
      return place;
    };
    acc = reinterpret_cast<int32_t*>(take(tile * sizeof(int32_t)));
    total = reinterpret_cast<int64_t*>(take(layer.narrow ? 0 : tile * sizeof(int64_t)));
    rows = reinterpret_cast<const void**>(take(layer.kernel->mr * sizeof(void*)));
    bytes = end;
  }
};

}  // namespace

bool is_wide(const Kernel& kernel) {
  return kernel.operand == Operand::kInt16 && kernel.zeros == 0;
}

const Kernel& select_wide(Features features) {
  size_t count;
  const Kernel* all = kernels(&count);
  const Kernel* best = nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (is_wide(all[i]) && (all[i].needs & ~features) == 0) best = &all[i];
  }
  return *best;
}

bool pack(const WideWeights& weights, WideLayer* layer) {
  const size_t depth = weights.depth;
  layer->narrow = true;
  for (size_t n = 0; n < weights.cols && !weights.wraps; ++n) {
    layer->narrow = layer->narrow && fits(weights, layer->params, n);
  }
  layer->bias = weights.bias;
  // Biases are part of the sums of 32 bits only.
  std::vector<int32_t> bias(weights.cols);
  for (size_t n = 0; n < weights.cols && layer->narrow; ++n) {
    bias[n] = static_cast<int32_t>(weights.bias[n]);
  }
  const size_t step = layer->narrow ? depth : kSlice;
  std::vector<int8_t> columns(weights.cols * std::min(step, depth));
  for (size_t first = 0; first < depth; first += step) {
    const size_t count = std::min(step, depth - first);
    for (size_t n = 0; n < weights.cols; ++n) {
      std::copy_n(weights.data + n * depth + first, count, columns.data() + n * count);
    }
    const Shape shape{weights.cols, 1, count};
    Layer slice{layer->kernel, shape, false, nullptr, nullptr, {}};
    const Weights part{shape, columns.data(), false, weights.zero_point, 0, bias.data()};
    layer->packed.emplace_back(packed_bytes(slice, part));
    if (!layer->packed.back().data()) return false;
    pack(part, &slice, layer->packed.back().data());
    layer->slices.push_back(slice);
  }
  return true;
}

size_t block_rows(const WideLayer& layer) { return block_rows(layer.slices[0]); }

size_t scratch_bytes(const WideLayer& layer) {
  alignas(kAlignment) static uint8_t none[1];
  return Scratch(layer, none).bytes;
}

void run(const WideLayer& layer, const int16_t* const* x, size_t rows, size_t first_col,
         size_t last_col, int16_t* out, size_t out_stride, void* memory) {
  const size_t mr = layer.kernel->mr, nr = layer.kernel->nr;
  const Scratch scratch(layer, memory);
  Args args{};
  args.taps = 1;
  args.x = scratch.rows;
  args.acc = scratch.acc;
  for (size_t n = first_col; n < last_col; n += nr) {
    args.cols = std::min(nr, last_col - n);
    for (size_t i = 0; i < rows; i += mr) {
      args.rows = std::min(mr, rows - i);
      for (size_t r = 0; r < args.rows && !layer.narrow; ++r) {
        std::copy_n(layer.bias + n, args.cols, scratch.total + r * nr);
      }
      size_t first = 0;
      for (const Layer& slice : layer.slices) {
        for (size_t r = 0; r < args.rows; ++r) scratch.rows[r] = x[i + r] + first;
        args.depth = slice.shape.depth;
        args.panel = static_cast<const uint8_t*>(slice.packed) + n / nr * panel_bytes(slice);
        layer.kernel->run(args);
        first += args.depth;
        if (layer.narrow) break;
        for (size_t r = 0; r < args.rows * nr; ++r) {
          scratch.total[r] = requantize::wrapping_add(scratch.total[r], int64_t{scratch.acc[r]});
        }
      }
      int16_t* to = out + i * out_stride + n;
      if (layer.narrow) {
        layer.requantize->run({args.rows, args.cols, scratch.acc, nr,
                               reinterpret_cast<uint8_t*>(to), out_stride, &layer.params, n});
        continue;
      }
      for (size_t r = 0; r < args.rows; ++r) {
        for (size_t c = 0; c < args.cols; ++c) {
          to[r * out_stride + c] =
              requantize::wide_result(layer.rule, layer.params, scratch.total[r * nr + c], n + c);
        }
      }
    }
  }
}

}  // namespace edge::gemm
