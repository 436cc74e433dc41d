#include <cmath>

#include "kernels/depthwise_f32/depthwise_f32.h"
#include "kernels/testing.h"

namespace edge::depthwise_f32 {

TEST_CASE("depthwise_f32: within 1e-6 of the sum of magnitudes, clamped, nothing else written") {
  testing::Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  for (const Kernel* kernel : testing::runnable(all, count)) {
    for (size_t channels : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 65}) {
      for (size_t taps : {1, 9, 25}) {
        for (size_t multiplier : {1, 3}) {
          if (multiplier != 1 && !kernel->any_multiplier) continue;
          const Shape shape{channels * multiplier, multiplier, taps};
          const size_t pixels = 3, step = taps == 9 && channels % 2 ? 3 : taps / 2 + 1;
          testing::Guarded<float> x(4 * channels), out(pixels * shape.channels);
          std::vector<float> w(taps * shape.channels), bias(shape.channels);
          for (size_t i = 0; i < x.size(); ++i) x[i] = random.real(-1, 1);
          for (float& v : w) v = random.real(-1, 1);
          for (float& v : bias) v = random.real(-1, 1);
          std::vector<const float*> pointers((pixels - 1) * step + taps);
          for (const float*& p : pointers) p = x.data() + random.integer(0, 3) * channels;
          kernel->run({pixels, shape, pointers.data(), step, bias.data(), w.data(), out.data(),
                       -0.5f, 2.0f});
          CHECK(out.intact());
          for (size_t i = 0; i < pixels; ++i) {
            for (size_t c = 0; c < shape.channels; ++c) {
              double sum = bias[c], magnitude = std::abs(bias[c]);
              for (size_t t = 0; t < taps; ++t) {
                const double product =
                    double{pointers[i * step + t][c / multiplier]} * w[t * shape.channels + c];
                sum += product;
                magnitude += std::abs(product);
              }
              const double expected = sum < -0.5 ? -0.5 : sum > 2 ? 2 : sum;
              const float got = out[i * shape.channels + c];
              REQUIRE(std::abs(got - expected) <= 1e-6 * magnitude);
            }
          }
        }
      }
    }
  }
}

}  // namespace edge::depthwise_f32
