#include <algorithm>

#include "base/arena.h"
#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

using requantize::Finish;

static const Kernel kKernels[] = {
#define DEPTHWISE(name, needs, layout, cr, kr, finish, x_signed, any_multiplier, wide) \
  {#name, needs, layout, cr, kr, finish, x_signed, any_multiplier, wide, name},
#include "kernels/depthwise/kernels.inc"
#undef DEPTHWISE
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

bool suits(const Kernel& kernel, const Shape& shape) {
  return kernel.wide == shape.wide && (kernel.any_multiplier || shape.multiplier == 1) &&
         (cell_rows(kernel.layout) == 0 || shape.height + 4 <= kMostRows) &&
         (kernel.layout != Layout::kBytes || shape.height * shape.width <= kMostTaps);
}

const Kernel& select(Features features, const Shape& shape) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if ((k.needs & ~features) == 0 && suits(k, shape)) best = &k;
  }
  return *best;
}

namespace {

// Pixels that are computed together: for kTaps those whose accumulators, about 8 KB, stay in L1,
// otherwise those whose columns do.
size_t strip(const Shape& shape) { return shape.height <= 4 ? 32 : 16; }

size_t acc_stride(const Layer& layer) {
  const size_t cr = layer.kernel->cr;
  return (layer.shape.channels + cr - 1) / cr * cr;
}

size_t pixels_at_once(const Layer& layer) {
  if (layer.kernel->layout != Layout::kTaps) return strip(layer.shape);
  return std::clamp<size_t>(2048 / acc_stride(layer), 1, 16);
}

size_t acc_bytes(const Layer& layer) {
  const size_t rows = rows_at_once(layer.kernel->layout, layer.shape);
  const size_t per_pixel =
      layer.kernel->layout != Layout::kTaps ? rows * kGroup : acc_stride(layer);
  return align_up(Bytes(pixels_at_once(layer)) * per_pixel * sizeof(int32_t));
}

size_t columns_bytes(const Layer& layer) {
  const Layout layout = layer.kernel->layout;
  if (cell_rows(layout) == 0) return 0;
  const Shape& s = layer.shape;
  const Bytes columns = Bytes(strip(s) - 1) * s.stride + Bytes(s.width - 1) * s.dilation + 1;
  return (columns * cells(layout, s) * kGroup * 4).count();
}

void run_taps(const Layer& layer, Args args, const void* const* x, size_t pixels, uint8_t* out) {
  const size_t channels = layer.shape.channels;
  const size_t at_once = pixels_at_once(layer), column = layer.shape.height;
  args.acc_stride = acc_stride(layer);
  args.count = channels;
  args.weights = layer.packed;
  for (size_t i = 0; i < pixels; i += at_once) {
    args.pixels = std::min(at_once, pixels - i);
    args.x = x + i * layer.shape.stride * column;
    layer.kernel->run(args);
    layer.requantize->run({args.pixels, channels, args.acc, args.acc_stride,
                           out + i * channels * (layer.shape.wide ? sizeof(int16_t) : 1), channels,
                           &layer.params, 0});
  }
}

// All but kTaps.
void run_blocks(const Layer& layer, Args args, const void* const* x, size_t pixels, uint8_t* out) {
  const Kernel& kernel = *layer.kernel;
  const Shape& shape = layer.shape;
  const size_t column = column_rows(kernel.layout, shape), bytes = block_bytes(layer);
  const size_t at_once = pixels_at_once(layer);
  args.flip = kernel.x_signed == layer.is_unsigned ? 0x80 : 0;
  args.out_flip = layer.is_unsigned ? 0x80 : 0;
  args.output = requantize::int8_output(layer.params, layer.is_unsigned);
  for (size_t c = 0; c < shape.channels; c += kGroup) {
    args.first = c;
    args.count = std::min(kGroup, shape.channels - c);
    const uint8_t* block = static_cast<const uint8_t*>(layer.packed) + c / kernel.cr * bytes;
    args.weights = block;
    for (size_t i = 0; i < pixels; i += at_once) {
      args.pixels = std::min(at_once, pixels - i);
      args.x = x + i * shape.stride * column;
      args.out = out + i * shape.channels + c;
      kernel.run(args);
      for (size_t b = 0; b < args.count; b += kernel.cr) {
        if (reinterpret_cast<const BlockHeader*>(block + b / kernel.cr * bytes)->finish) continue;
        for (size_t row = 0; row < args.rows; ++row) {
          layer.requantize->run({args.pixels, std::min<size_t>(kernel.cr, args.count - b),
                                 args.acc + row * args.pixels * kGroup + b, kGroup,
                                 args.out + row * args.out_row + b, shape.channels, &layer.params,
                                 c + b});
        }
      }
    }
  }
}

}  // namespace

size_t scratch_bytes(const Layer& layer) {
  return (Bytes(acc_bytes(layer)) + columns_bytes(layer)).count();
}

void run(const Layer& layer, const void* const* x, size_t pixels, size_t rows, uint8_t* out,
         size_t out_row, void* scratch) {
  Args args{};
  args.rows = rows;
  args.shape = layer.shape;
  args.x_unsigned = layer.is_unsigned;
  args.acc = static_cast<int32_t*>(scratch);
  args.out_row = out_row;
  args.columns = static_cast<uint8_t*>(scratch) + acc_bytes(layer);
  const auto run = layer.kernel->layout == Layout::kTaps ? run_taps : run_blocks;
  run(layer, args, x, pixels, out);
}

}  // namespace edge::depthwise
