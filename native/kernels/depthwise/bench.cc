#include "kernels/bench.h"

#include <string>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

// Nanoseconds per output of 3x3 and 5x5 windows, requantization to int8 included.
void bench() {
  struct Case {
    size_t size, channels, window;
  };
  const Case cases[] = {{112, 32, 3}, {56, 144, 3}, {14, 384, 3}, {14, 384, 5}};
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel& kernel = all[i];
    if ((kernel.needs & ~bench::features()) != 0) continue;
    for (const Case& c : cases) {
      Shape shape{c.channels, 1, c.window, c.window};
      shape.row_step = 1;
      const size_t width = c.size + c.window - 1;
      std::vector<uint8_t> x((width + 8) * width * c.channels + kOverread, 3);
      std::vector<uint8_t> w(c.window * c.window * c.channels, 5);
      std::vector<uint8_t> out(c.size * c.size * c.channels);
      std::vector<int32_t> multiplier(c.channels, 0x61234567), exponent(c.channels, -9);
      Layer layer{&kernel, shape, false, nullptr, nullptr, {}};
      layer.requantize = &requantize::select(bench::features(), requantize::Rule::kDoubleRounding);
      layer.params.multiplier = multiplier.data();
      layer.params.exponent = exponent.data();
      Arena packed(packed_bytes(layer)), scratch(scratch_bytes(layer));
      pack({w.data(), false, 0, -5, nullptr}, &layer, packed.data());
      const size_t rows = rows_at_once(kernel.layout, shape);
      const size_t height = column_rows(kernel.layout, shape);
      std::vector<const void*> pointers(width * height);
      const double seconds = bench::best_seconds([&] {
        for (size_t y = 0; y < c.size; y += rows) {
          for (size_t column = 0; column < width; ++column) {
            for (size_t row = 0; row < height; ++row) {
              pointers[column * height + row] =
                  x.data() + ((y + row) * width + column) * c.channels;
            }
          }
          const size_t row_bytes = c.size * c.channels;
          run(layer, pointers.data(), c.size, std::min(rows, c.size - y),
              out.data() + y * row_bytes, row_bytes, scratch.data());
        }
      });
      const std::string what = std::to_string(c.size) + "x" + std::to_string(c.size) + "x" +
                               std::to_string(c.channels) + ", " + std::to_string(c.window) + "x" +
                               std::to_string(c.window);
      bench::report(kernel.name, what.c_str(), seconds * 1e9 / static_cast<double>(out.size()),
                    "ns per output");
    }
  }
}

}  // namespace edge::depthwise
