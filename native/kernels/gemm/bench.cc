#include "kernels/bench.h"

#include <string>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

// Pointwise and 3x3 convolutions of MobileNets, requantization to int8 included.
void bench() {
  struct Case {
    size_t rows, cols, taps, depth;
  };
  const Case cases[] = {{3136, 144, 1, 24}, {3136, 24, 1, 144}, {784, 192, 1, 32},
                        {196, 512, 1, 512}, {49, 1280, 1, 320}, {784, 64, 9, 64}};
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel& kernel = all[i];
    if ((kernel.needs & ~bench::features()) != 0) continue;
    for (const Case& c : cases) {
      const Shape shape{c.cols, c.taps, c.depth};
      std::vector<uint8_t> x(c.rows * shape.depth + kOverread, 3);
      std::vector<uint8_t> w(c.cols * c.taps * c.depth, 5), out(c.rows * c.cols);
      std::vector<int32_t> multiplier(c.cols, 0x61234567), exponent(c.cols, -9);
      Layer layer{&kernel, shape, false, nullptr, nullptr, {}};
      layer.requantize = &requantize::select(bench::features(), requantize::Rule::kDoubleRounding);
      layer.params.multiplier = multiplier.data();
      layer.params.exponent = exponent.data();
      const Weights weights{shape, w.data(), false, 0, -5, nullptr};
      Arena packed(packed_bytes(layer, weights)), scratch(scratch_bytes(layer));
      pack(weights, &layer, packed.data());
      std::vector<const void*> pointers(c.taps * c.rows);
      for (size_t i = 0; i < pointers.size(); ++i) {
        pointers[i] = x.data() + i % c.rows * shape.depth;
      }
      const double seconds = bench::best_seconds([&] {
        for (size_t row = 0; row < c.rows; row += block_rows(layer)) {
          run(layer, pointers.data() + row, c.rows, std::min(block_rows(layer), c.rows - row), 0,
              c.cols, out.data() + row * c.cols, c.cols, scratch.data());
        }
      });
      const std::string what = std::to_string(c.rows) + "x" + std::to_string(c.taps) + "x" +
                               std::to_string(c.depth) + "->" + std::to_string(c.cols);
      const double macs = static_cast<double>(c.rows * c.cols * c.taps * c.depth);
      bench::report(kernel.name, what.c_str(), macs / seconds * 1e-9, "GMAC/s");
    }
  }
}

}  // namespace edge::gemm
