#include "ops/support/half.h"

#include <doctest/doctest.h>

#include <cmath>

namespace edge {

// The float that a half of so many bits of exponent and fraction is.
static double value_of(uint16_t bits, int exponent_bits, int fraction_bits) {
  const int highest = (1 << exponent_bits) - 1, bias = highest / 2;
  const int exponent = bits >> fraction_bits & highest;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  if (exponent == highest) return fraction ? double{NAN} : bits & 0x8000 ? -INFINITY : INFINITY;
  const double size =
      exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                    : std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
  return bits & 0x8000 ? -size : size;
}

template <typename T>
static void check_all(int exponent_bits, int fraction_bits) {
  for (int i = 0; i < 65536; ++i) {
    const T x{static_cast<uint16_t>(i)};
    const float got = to_float(x);
    const double wanted = value_of(x.bits, exponent_bits, fraction_bits);
    if (std::isnan(wanted)) {
      REQUIRE(std::isnan(got));
      REQUIRE(std::isnan(to_float(to_half<T>(got))));
      continue;
    }
    REQUIRE(got == wanted);
    REQUIRE(std::signbit(got) == ((i & 0x8000) != 0));
    REQUIRE(to_half<T>(got).bits == x.bits);
    // Half way to the next one in size, and a bit to either side.
    const T next{static_cast<uint16_t>(i + 1)};
    if ((i & 0x7fff) >= (((1 << exponent_bits) - 1) << fraction_bits) - 1) continue;
    const float middle =
        static_cast<float>((double{got} + value_of(next.bits, exponent_bits, fraction_bits)) / 2);
    REQUIRE(to_half<T>(middle).bits == (i % 2 ? next : x).bits);
    REQUIRE(to_half<T>(std::nextafter(middle, got)).bits == x.bits);
    REQUIRE(to_half<T>(std::nextafter(middle, to_float(next))).bits == next.bits);
  }
}

TEST_CASE("half: every number of 16 bits becomes its float and comes back, ties go to even") {
  check_all<Half>(5, 10);
  check_all<BFloat16>(8, 7);
}

TEST_CASE("half: what is too large is infinite") {
  CHECK(to_half<Half>(65519.f).bits == 0x7bff);
  CHECK(to_half<Half>(65520.f).bits == 0x7c00);
  CHECK(to_half<Half>(-1e30f).bits == 0xfc00);
  CHECK(to_half<BFloat16>(3.4e38f).bits == 0x7f80);
}

}  // namespace edge
