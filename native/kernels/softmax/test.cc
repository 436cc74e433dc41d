#include <algorithm>
#include <cmath>

#include "kernels/softmax/softmax.h"
#include "kernels/testing.h"

namespace edge::softmax {
namespace {

using testing::Guarded;
using testing::Random;

const Kernel& kernel(Op op) { return select(testing::features(), op); }

}  // namespace

TEST_CASE("softmax: 8-bit results are within one code of the real formula") {
  Random random;
  for (int round = 0; round < 500; ++round) {
    const size_t rows = random.integer(1, 3), depth = random.integer(1, 300);
    const float scale = std::ldexp(random.real(0.5f, 1), static_cast<int>(random.integer(-8, 1)));
    const float beta = random.integer(0, 1) ? 1.0f : 0.5f;
    Table table;
    make_table(scale, beta, &table);
    Guarded<int8_t> x(rows * depth), out(rows * depth);
    for (size_t i = 0; i < x.size(); ++i) x[i] = random.any<int8_t>();
    std::vector<uint8_t> shifted(x.size()), out_u8(x.size());
    for (size_t i = 0; i < x.size(); ++i) shifted[i] = static_cast<uint8_t>(x[i] + 128);
    kernel(Op::kI8).run({rows, depth, x.data(), out.data(), &table, beta});
    kernel(Op::kU8).run({rows, depth, shifted.data(), out_u8.data(), &table, beta});
    CHECK(out.intact());
    for (size_t i = 0; i < rows; ++i) {
      int8_t max = -128;
      for (size_t j = 0; j < depth; ++j) max = std::max(max, x[i * depth + j]);
      double sum = 0;
      for (size_t j = 0; j < depth; ++j) sum += std::exp((x[i * depth + j] - max) * scale * beta);
      for (size_t j = 0; j < depth; ++j) {
        const double real = std::exp((x[i * depth + j] - max) * scale * beta) / sum * 256;
        REQUIRE(std::abs(out[i * depth + j] + 128 - std::min(real, 255.0)) <= 1);
        REQUIRE(out_u8[i * depth + j] == out[i * depth + j] + 128);
      }
    }
  }
}

TEST_CASE("softmax: equal inputs, one input, and far more than sums to one") {
  Table table;
  make_table(0.1f, 1.0f, &table);
  const int8_t four[] = {5, 5, 5, 5};
  int8_t out[4];
  kernel(Op::kI8).run({1, 4, four, out, &table, 1.0f});
  for (int8_t v : out) CHECK(v == 64 - 128);
  kernel(Op::kI8).run({4, 1, four, out, &table, 1.0f});
  for (int8_t v : out) CHECK(v == 127);
  // The Q12.19 sum of 8192 ones wraps to 0; whatever comes out, it comes out.
  std::vector<int8_t> many(8192, 3);
  kernel(Op::kI8).run({1, many.size(), many.data(), many.data(), &table, 1.0f});
}

TEST_CASE("softmax: scales from the smallest to the largest make a table that falls from one") {
  for (float scale : {1e-30f, 1e-9f, 1e-4f, 0.1f, 1.0f, 31.9f, 1e9f, 1e30f}) {
    Table table;
    make_table(scale, 1.0f, &table);
    CHECK(table.exp[0] == INT32_MAX);
    for (int d = 1; d < 256; ++d) CHECK(table.exp[d] <= table.exp[d - 1]);
    CHECK(table.exp[255] >= 0);
  }
}

TEST_CASE("softmax: float is within 1e-6 of the formula and sums to one") {
  Random random;
  for (size_t depth : {1, 2, 7, 1000}) {
    std::vector<float> x(2 * depth), out(2 * depth);
    for (float& v : x) v = random.real(-20, 20);
    x[0] = 1000;  // exp of it alone would overflow
    kernel(Op::kF32).run({2, depth, x.data(), out.data(), nullptr, 0.7f});
    for (size_t i = 0; i < 2; ++i) {
      double sum = 0, total = 0, max = -1e9;
      for (size_t j = 0; j < depth; ++j) max = std::max<double>(max, x[i * depth + j]);
      for (size_t j = 0; j < depth; ++j) sum += std::exp((x[i * depth + j] - max) * 0.7f);
      for (size_t j = 0; j < depth; ++j) {
        const double expected = std::exp((x[i * depth + j] - max) * 0.7f) / sum;
        REQUIRE(std::abs(out[i * depth + j] - expected) <= 1e-6);
        total += out[i * depth + j];
      }
      CHECK(std::abs(total - 1) <= 1e-5);
    }
  }
}

}  // namespace edge::softmax
