#include <cmath>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/testing.h"

namespace edge::gemm_f32 {
namespace {

using testing::Guarded;
using testing::Random;

std::vector<const Kernel*> runnable() {
  size_t count;
  const Kernel* all = kernels(&count);
  return testing::runnable(all, count);
}

}  // namespace

TEST_CASE("gemm_f32: within 1e-6 of the sum of magnitudes around the seams, nothing else written") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t rows = 1; rows <= kernel->mr; ++rows) {
      for (size_t cols :
           {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 33, 47, 48, 49, 52, 65, 129, 145}) {
        for (size_t depth : {1, 3, 4, 5, 40}) {
          for (size_t taps : {1, 9}) {
            const Shape shape{cols, taps, depth};
            std::vector<float> w(cols * taps * depth), bias(cols), x(4 * depth);
            for (float& v : w) v = random.real(-1, 1);
            for (float& v : bias) v = random.real(-1, 1);
            for (float& v : x) v = random.real(-1, 1);
            Arena packed(packed_bytes(*kernel, shape));
            float* weights = reinterpret_cast<float*>(packed.data());
            pack(*kernel, shape, w.data(), bias.data(), weights);
            std::vector<const float*> pointers(taps * kernel->mr, nullptr);
            for (size_t t = 0; t < taps; ++t) {
              for (size_t i = 0; i < rows; ++i) {
                pointers[t * kernel->mr + i] = x.data() + random.integer(0, 3) * depth;
              }
            }
            const Layer layer{kernel, shape, weights, -1.0f, 3.0f};
            const size_t first = cols > kernel->nr ? kernel->nr : 0;
            const size_t stride = cols + 1;
            Guarded<float> out(rows * stride);
            for (size_t i = 0; i < out.size(); ++i) out[i] = 77;
            run(layer, pointers.data(), kernel->mr, rows, first, cols, out.data(), stride);
            CHECK(out.intact());
            for (size_t i = 0; i < rows; ++i) {
              for (size_t n = 0; n < stride; ++n) {
                if (n < first || n >= cols) {
                  REQUIRE(out[i * stride + n] == 77);
                  continue;
                }
                double sum = bias[n], magnitude = std::abs(bias[n]);
                for (size_t k = 0; k < taps * depth; ++k) {
                  const double product = double{pointers[k / depth * kernel->mr + i][k % depth]} *
                                         w[n * taps * depth + k];
                  sum += product;
                  magnitude += std::abs(product);
                }
                const double expected = sum < -1 ? -1 : sum > 3 ? 3 : sum;
                INFO(std::string(kernel->name) << " " << rows << "x" << cols << "x" << depth);
                REQUIRE(std::abs(out[i * stride + n] - expected) <= 1e-6 * magnitude);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gemm_f32: a row's result does not depend on the tile it falls to") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    const Shape shape{19, 1, 33};
    std::vector<float> w(19 * 33), x(33);
    for (float& v : w) v = random.real(-1, 1);
    for (float& v : x) v = random.real(-1, 1);
    Arena packed(packed_bytes(*kernel, shape));
    float* weights = reinterpret_cast<float*>(packed.data());
    pack(*kernel, shape, w.data(), nullptr, weights);
    const Layer layer{kernel, shape, weights, -INFINITY, INFINITY};
    const std::vector<const float*> pointers(kernel->mr, x.data());
    std::vector<float> alone(19), all(kernel->mr * 19);
    run(layer, pointers.data(), kernel->mr, 1, 0, 19, alone.data(), 19);
    run(layer, pointers.data(), kernel->mr, kernel->mr, 0, 19, all.data(), 19);
    for (size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == alone[i % 19]);
  }
}

TEST_CASE("gemm_f32: packed weights never wrap to few bytes, on 32 bits neither") {
  const Shape shape{1, 1, size_t{1} << 29};
  for (const Kernel* kernel : runnable()) CHECK(packed_bytes(*kernel, shape) >= shape.depth * 4);
}

}  // namespace edge::gemm_f32
