#include <algorithm>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"

namespace edge::gemm {

using requantize::Finish;

static const Kernel kKernels[] = {
#define GEMM(name, needs, mr, nr, kr, operand, finish, zeros, more) \
  {#name, needs, mr, nr, kr, operand, finish, zeros, more, name},
#include "kernels/gemm/kernels.inc"
#undef GEMM
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

// The last of those that take listed steps, or of those that do not.
static const Kernel& last(Features features, bool listed) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if ((k.needs & ~features) == 0 && (k.zeros != 0) == listed) best = &k;
  }
  return *best;
}

const Kernel& select(Features features) { return last(features, false); }

const Kernel& select(Features features, const Weights& weights) {
  const Kernel& listed = last(features, true);
  const double depth = static_cast<double>(weights.shape.taps * weights.shape.depth);
  const bool pays = depth * zero_share(weights, listed) >= depth * listed.zeros / 100 + listed.more;
  return pays ? listed : select(features);
}

namespace {

// Pixels of a block stay in the L1 cache while the panels pass by.
constexpr size_t kBlockBytes = 16 << 10;
constexpr size_t kMostRows = 240;

// int16 values of one widened tap, with room for whole chunks.
constexpr size_t kChunk = 16;
size_t widened_stride(const Layer& layer) {
  return align_up((Bytes(layer.shape.depth) + kChunk) * sizeof(int16_t)) / sizeof(int16_t);
}

template <typename T>
void widen(const void* x, size_t n, int16_t* out) {
  const T* from = static_cast<const T*>(x);
  for (size_t k = 0; k < n; k += kChunk, from += kChunk, out += kChunk) {
    for (size_t j = 0; j < kChunk; ++j) out[j] = from[j];
  }
}

// How run() divides its scratch memory.
struct Scratch {
  int32_t *acc, *sums;
  const void** rows;
  int16_t* widened;
  size_t bytes;

  Scratch(const Layer& layer, void* memory) {
    const Kernel& kernel = *layer.kernel;
    const size_t rows_at_most = block_rows(layer);
    uint8_t* base = static_cast<uint8_t*>(memory);
    size_t end = 0;
    const auto take = [&](Bytes size) {
      uint8_t* place = base + end;
      end = (Bytes(end) + align_up(size)).count();
      return place;
    };
    acc = reinterpret_cast<int32_t*>(take(size_t{kernel.mr} * kernel.nr * sizeof(int32_t)));
    sums = reinterpret_cast<int32_t*>(take(rows_at_most * sizeof(int32_t)));
    const bool widens = kernel.operand == Operand::kInt16;
    const Bytes taps = widens ? Bytes(rows_at_most) * layer.shape.taps : Bytes(0);
    rows = reinterpret_cast<const void**>(take(taps * sizeof(void*)));
    widened = reinterpret_cast<int16_t*>(take(taps * widened_stride(layer) * sizeof(int16_t)));
    bytes = end;
  }
};

}  // namespace

size_t block_rows(const Layer& layer) {
  const size_t mr = layer.kernel->mr;
  const size_t row = layer.shape.taps * layer.shape.depth *
                     (layer.kernel->operand == Operand::kInt16 ? sizeof(int16_t) : 1);
  const size_t rows = std::clamp<size_t>(kBlockBytes / std::max<size_t>(row, 1), mr, kMostRows);
  return rows / mr * mr;
}

size_t scratch_bytes(const Layer& layer) {
  alignas(kAlignment) static uint8_t none[1];
  return Scratch(layer, none).bytes;
}

void run(const Layer& layer, const void* const* x, size_t x_stride, size_t rows, size_t first_col,
         size_t last_col, void* out, size_t out_stride, void* memory) {
  const Kernel& kernel = *layer.kernel;
  const Scratch scratch(layer, memory);
  if (kernel.operand == Operand::kInt16) {
    const auto convert = layer.is_unsigned ? widen<uint8_t> : widen<int8_t>;
    int16_t* to = scratch.widened;
    for (size_t i = 0; i < layer.shape.taps * rows; ++i, to += widened_stride(layer)) {
      convert(x[i / rows * x_stride + i % rows], layer.shape.depth, to);
      scratch.rows[i] = to;
    }
    x = scratch.rows;
    x_stride = rows;
  }
  const uint8_t* packed = static_cast<const uint8_t*>(layer.packed);
  const size_t bytes = panel_bytes(layer), nr = kernel.nr;
  Args args{};
  args.taps = layer.shape.taps;
  args.depth = layer.shape.depth;
  args.x_stride = x_stride;
  args.flip = (kernel.operand == Operand::kUint8) != layer.is_unsigned ? 0x80 : 0;
  args.out_stride = out_stride;
  args.out_flip = layer.is_unsigned ? 0x80 : 0;
  args.output = requantize::int8_output(layer.params, layer.is_unsigned);
  if (layer.sums) {
    args.panel = sum_panel(layer);
    args.cols = 1;
    const bool dense = kernel.operand == Operand::kUint8;
    const size_t at_once = dense ? rows : kernel.mr;
    args.acc = dense ? scratch.sums : scratch.acc;
    for (size_t i = 0; i < rows; i += at_once) {
      args.rows = std::min(at_once, rows - i);
      args.x = x + i;
      kernel.run(args);
      for (size_t r = 0; r < args.rows && !dense; ++r) scratch.sums[i + r] = scratch.acc[r * nr];
    }
  }
  for (size_t n = first_col; n < last_col; n += nr) {
    args.panel = packed + n / nr * bytes;
    const PanelHeader& header = *static_cast<const PanelHeader*>(args.panel);
    args.cols = std::min(nr, last_col - n);
    args.acc = header.finish ? nullptr : scratch.acc;
    const size_t at_once = header.finish ? rows : kernel.mr;
    for (size_t i = 0; i < rows; i += at_once) {
      args.rows = std::min(at_once, rows - i);
      args.x = x + i;
      args.sums = header.sums ? scratch.sums + i : nullptr;
      args.out = static_cast<uint8_t*>(out) + i * out_stride + n;
      kernel.run(args);
      if (header.finish) continue;
      if (layer.requantize != nullptr) {
        layer.requantize->run(
            {args.rows, args.cols, args.acc, nr, args.out, out_stride, &layer.params, n});
      } else {
        for (size_t r = 0; r < args.rows; ++r) {
          std::copy_n(args.acc + r * nr, args.cols,
                      static_cast<int32_t*>(out) + (i + r) * out_stride + n);
        }
      }
    }
  }
}

}  // namespace edge::gemm
