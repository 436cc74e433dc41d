#include "kernels/gemm/wide.h"

#include <algorithm>

#include "kernels/testing.h"

namespace edge::gemm {
namespace {

using testing::Guarded;
using testing::Random;

// All equal the equation of wide.h, in sums of 64 bits or, where they wrap, of 32.
void check(const Kernel& kernel, Random& random, size_t rows, size_t cols, size_t depth,
           bool ends) {
  INFO(kernel.name << " " << rows << " x " << cols << " x " << depth);
  Guarded<int16_t> x(rows * depth);
  std::vector<int8_t> w(cols * depth);
  const int64_t end = random.integer(0, 1);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = ends ? static_cast<int16_t>(end ? INT16_MIN : INT16_MAX) : random.any<int16_t>();
  }
  for (int8_t& v : w) v = ends ? INT8_MIN : random.any<int8_t>();
  const bool wraps = random.integer(0, 2) == 0;
  const int64_t most = wraps ? INT32_MAX : int64_t{1} << random.integer(10, 40);
  std::vector<int64_t> bias(cols);
  std::vector<int32_t> multiplier(cols), exponent(cols);
  std::vector<double> scale(cols);
  const int32_t highest = random.integer(0, 1) ? -12 : 2;
  for (size_t n = 0; n < cols; ++n) {
    bias[n] = ends && !wraps ? (end ? INT64_MIN : INT64_MAX) : random.integer(-most, most);
    multiplier[n] = static_cast<int32_t>(random.integer(1 << 30, INT32_MAX));
    exponent[n] = static_cast<int32_t>(random.integer(-20, highest));
    scale[n] = requantize::reduced_scale({multiplier[n], exponent[n]});
  }
  WideLayer layer{};
  layer.kernel = &kernel;
  layer.rule = wraps ? requantize::Rule::kWideDoubleRounding : requantize::Rule::kWideReduced;
  layer.requantize = &requantize::select(testing::features(), layer.rule);
  layer.params = {multiplier.data(), exponent.data(), scale.data(), 0, -32768, 32767};
  const int32_t zero_point = static_cast<int32_t>(random.integer(0, 1) * random.integer(-128, 127));
  REQUIRE(pack({cols, depth, w.data(), zero_point, bias.data(), wraps}, &layer));
  std::vector<const int16_t*> pointers;
  for (size_t i = 0; i < rows; ++i) pointers.push_back(x.data() + i * depth);
  const size_t stride = cols + 3;
  Guarded<int16_t> out(rows * stride);
  std::fill_n(out.data(), out.size(), int16_t{7});
  Arena scratch(scratch_bytes(layer));
  run(layer, pointers.data(), rows, 0, cols, out.data(), stride, scratch.data());
  CHECK(out.intact());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t n = 0; n < stride; ++n) {
      int16_t expected = 7;
      if (n < cols) {
        int64_t acc = bias[n];
        for (size_t k = 0; k < depth; ++k) {
          const int64_t product = x[i * depth + k] * (w[n * depth + k] - zero_point);
          acc = requantize::wrapping_add(acc, product);
        }
        if (wraps) {
          const int32_t v =
              requantize::double_round(static_cast<int32_t>(acc), multiplier[n], exponent[n]);
          expected = static_cast<int16_t>(std::clamp(v, -32768, 32767));
        } else {
          expected = requantize::wide_result(layer.rule, layer.params, acc, n);
        }
      }
      REQUIRE(out[i * stride + n] == expected);
    }
  }
}

}  // namespace

TEST_CASE("gemm: int16 rows around the seams of tiles and slices") {
  Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  for (const Kernel* kernel : testing::runnable(all, count)) {
    if (kernel->operand != Operand::kInt16) continue;
    for (size_t rows : {size_t{1}, size_t{kernel->mr}, kernel->mr + size_t{1}}) {
      for (size_t cols : {size_t{1}, kernel->nr / size_t{2}, kernel->nr + size_t{1}}) {
        for (size_t depth : {1, 2, 9, 255, 256, 257, 700}) {
          check(*kernel, random, rows, cols, depth, false);
          check(*kernel, random, rows, cols, depth, true);
        }
      }
    }
  }
}

}  // namespace edge::gemm
