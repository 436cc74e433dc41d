#include "kernels/bench.h"

#include <string>

#include "kernels/gemm_f32/gemm_f32.h"

namespace edge::gemm_f32 {

// Pointwise and 3x3 convolutions and a fully connected layer.
void bench() {
  struct Case {
    size_t rows, cols, taps, depth;
  };
  const Case cases[] = {{4096, 24, 1, 24},  {1024, 48, 1, 32}, {196, 512, 1, 512},
                        {49, 1280, 1, 320}, {784, 64, 9, 64},  {1, 1000, 1, 1024}};
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel& kernel = all[i];
    if ((kernel.needs & ~bench::features()) != 0) continue;
    for (const Case& c : cases) {
      const Shape shape{c.cols, c.taps, c.depth};
      std::vector<float> x(c.rows * c.depth, 0.5f), w(c.cols * c.taps * c.depth, 0.25f);
      std::vector<float> out(c.rows * c.cols);
      Arena packed(packed_bytes(kernel, shape));
      float* weights = reinterpret_cast<float*>(packed.data());
      pack(kernel, shape, w.data(), nullptr, weights);
      const Layer layer{&kernel, shape, weights, 0, 6};
      std::vector<const float*> pointers(c.taps * kernel.mr);
      const double seconds = bench::best_seconds([&] {
        for (size_t row = 0; row < c.rows; row += kernel.mr) {
          const size_t rows = std::min<size_t>(kernel.mr, c.rows - row);
          for (size_t t = 0; t < c.taps; ++t) {
            for (size_t r = 0; r < rows; ++r) {
              pointers[t * kernel.mr + r] = x.data() + (row + r) * c.depth;
            }
          }
          run(layer, pointers.data(), kernel.mr, rows, 0, c.cols, out.data() + row * c.cols,
              c.cols);
        }
      });
      const std::string what = std::to_string(c.rows) + "x" + std::to_string(c.taps) + "x" +
                               std::to_string(c.depth) + "->" + std::to_string(c.cols);
      const double macs = static_cast<double>(c.rows * c.cols * c.taps * c.depth);
      bench::report(kernel.name, what.c_str(), macs / seconds * 1e-9, "GMAC/s");
    }
  }
}

}  // namespace edge::gemm_f32
