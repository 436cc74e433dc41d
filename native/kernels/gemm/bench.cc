#include "kernels/bench.h"

#include <string>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {
namespace {

struct Case {
  size_t rows, cols, taps, depth;
};

// A convolution, requantization to int8 included, of whose blocks of weights `zeros` % are zero.
class Work {
 public:
  Work(const Kernel& kernel, const Case& c, size_t zeros)
      : case_(c),
        x_(c.rows * c.depth + kOverread, 3),
        out_(c.rows * c.cols),
        multiplier_(c.cols, 0x61234567),
        exponent_(c.cols, -9) {
    const Shape shape{c.cols, c.taps, c.depth};
    std::vector<uint8_t> w(c.cols * c.taps * c.depth);
    for (size_t i = 0; i < w.size(); ++i) {
      const size_t block = i % c.depth / kBlockDepth + i / c.depth % c.taps * 37 +
                           i / (c.depth * c.taps) / kBlockCols * 11;
      w[i] = block * 7919 % 1009 % 100 < zeros ? 0 : 5;
    }
    layer_ = {&kernel, shape, false, nullptr, nullptr, {}};
    layer_.requantize = &requantize::select(bench::features(), requantize::Rule::kDoubleRounding);
    layer_.params.multiplier = multiplier_.data();
    layer_.params.exponent = exponent_.data();
    const Weights weights{shape, w.data(), false, 0, -5, nullptr};
    packed_ = Arena(packed_bytes(layer_, weights));
    pack(weights, &layer_, packed_.data());
    scratch_ = Arena(scratch_bytes(layer_));
    for (size_t i = 0; i < c.taps * c.rows; ++i) {
      pointers_.push_back(x_.data() + i % c.rows * shape.depth);
    }
  }

  void run_once() {
    const size_t most = block_rows(layer_);
    for (size_t row = 0; row < case_.rows; row += most) {
      run(layer_, pointers_.data() + row, case_.rows, std::min(most, case_.rows - row), 0,
          case_.cols, out_.data() + row * case_.cols, case_.cols, scratch_.data());
    }
  }

 private:
  Case case_;
  std::vector<uint8_t> x_, out_;
  std::vector<int32_t> multiplier_, exponent_;
  std::vector<const void*> pointers_;
  Arena packed_, scratch_;
  Layer layer_;
};

std::string name_of(const Case& c) {
  return std::to_string(c.rows) + "x" + std::to_string(c.taps) + "x" + std::to_string(c.depth) +
         "->" + std::to_string(c.cols);
}

}  // namespace

// Pointwise and 3x3 convolutions of MobileNets; with zeros, what they gain over the kernel that
// does not look for them.
void bench() {
  const Case dense[] = {{3136, 144, 1, 24}, {3136, 24, 1, 144}, {784, 192, 1, 32},
                        {196, 512, 1, 512}, {49, 1280, 1, 320}, {784, 64, 9, 64}};
  const Case sparse[] = {{196, 256, 1, 256}, {196, 64, 9, 64}, {1, 1024, 1, 1024}};
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel& kernel = all[i];
    if ((kernel.needs & ~bench::features()) != 0) continue;
    if (kernel.zeros == 0) {
      for (const Case& c : dense) {
        Work work(kernel, c, 0);
        const double seconds = bench::best_seconds([&] { work.run_once(); });
        const double macs = static_cast<double>(c.rows * c.cols * c.taps * c.depth);
        bench::report(kernel.name, name_of(c).c_str(), macs / seconds * 1e-9, "GMAC/s");
      }
      continue;
    }
    for (const Case& c : sparse) {
      Work plain(select(kernel.needs), c, 0);
      for (size_t zeros : {0, 30, 50, 70, 80}) {
        Work work(kernel, c, zeros);
        double whole = 1e9, seconds = 1e9;
        for (int turn = 0; turn < 4; ++turn) {
          whole = std::min(whole, bench::best_seconds([&] { plain.run_once(); }));
          seconds = std::min(seconds, bench::best_seconds([&] { work.run_once(); }));
        }
        const std::string what = name_of(c) + ", " + std::to_string(zeros) + " % zero";
        bench::report(kernel.name, what.c_str(), whole / seconds, "x");
      }
    }
  }
}

}  // namespace edge::gemm
