#include "ops/support/fixed_point.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "ops/support/inverse_root.h"

namespace edge {
namespace {

TEST_CASE("fixed point: rescale is the kernels' double rounding wherever that is defined") {
  std::mt19937 random(3);
  for (int e = -31; e <= 31; ++e) {
    for (int i = 0; i < 2000; ++i) {
      const int32_t m = static_cast<int32_t>((1u << 30) | (random() >> 2));
      const int32_t x = static_cast<int32_t>(random()) >> (random() % 31);
      if (rescale(x, {m, e}) != requantize::double_round(x, m, e)) {
        CAPTURE(x);
        CAPTURE(m);
        FAIL("differs at exponent ", e);
      }
    }
  }
}

TEST_CASE("fixed point: exponents beyond 31 are taken modulo 32") {
  const int32_t half = 1 << 30;
  CHECK(rescale(6, {half, 34}) == rescale(6, {half, 2}));
  CHECK(rescale(6, {half, 34}) == 12);
  CHECK(round_shift(1000, 35) == 126);  // 1000 >> 3, and a remainder that counts as above half
  CHECK(round_shift(-1000, 35) == -125);
}

TEST_CASE("fixed point: factors that are no numbers are refused") {
  CHECK(fixed_point(0.0).ok());
  CHECK(fixed_point(1e30).ok());
  CHECK(!fixed_point(std::numeric_limits<double>::infinity()).ok());
  CHECK(!fixed_point(std::numeric_limits<double>::quiet_NaN()).ok());
}

TEST_CASE("fixed point: the inverse root is right to 20 bits") {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    const int32_t x = 2 + static_cast<int32_t>(random() >> (1 + random() % 30)) / 2;
    const requantize::Multiplier root = inverse_root(x);
    const double value = std::ldexp(root.m, root.e - 31);
    CHECK(value * std::sqrt(static_cast<double>(x)) == doctest::Approx(1.0).epsilon(2e-6));
  }
}

}  // namespace
}  // namespace edge
