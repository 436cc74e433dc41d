// An 8-bit addition as one linear function of its two codes, where that gives the same codes.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {
namespace {

double real(const requantize::Multiplier& m) { return std::ldexp(m.m, m.e - 31); }

// Whether the two kernels agree on all pairs of codes.
bool equal(const Kernel8& add, const Kernel8& linear, const Params8& params) {
  uint8_t codes[256], expected[256], got[256];
  for (int i = 0; i < 256; ++i) codes[i] = static_cast<uint8_t>(i);
  for (const uint8_t& b : codes) {
    add.run({256, codes, &b, true, expected, &params});
    linear.run({256, codes, &b, true, got, &params});
    if (std::memcmp(expected, got, sizeof got) != 0) return false;
  }
  return true;
}

}  // namespace

bool make_linear(const Kernel8& add, const Kernel8& linear, Params8* params) {
  Params8& p = *params;
  const int32_t lowest = add.op == Op8::kAddI8 ? -128 : 0;
  const double unit = std::ldexp(real(p.mo), 20);
  const double a = p.sign_a * real(p.ma) * unit, b = p.sign_b * real(p.mb) * unit;
  const double start =
      p.zero_out - lowest + 0.5 - a * (p.zero_a - lowest) - b * (p.zero_b - lowest);
  // As many fractional bits as leave all sums within 32 bits and the factors within 30.
  double most = std::max(std::abs(a), std::abs(b)) * 256;
  for (int corner = 0; corner < 4; ++corner) {
    const double sum = start + a * (corner & 1 ? 255 : 0) + b * (corner & 2 ? 255 : 0);
    most = std::max(most, std::abs(sum));
  }
  int exponent;
  std::frexp(most + 1, &exponent);
  p.linear.shift = std::min(31 - exponent, 30);
  if (p.linear.shift < 0) return false;
  const auto split = [&](double factor, int16_t* high, int16_t* low) {
    const int32_t v = static_cast<int32_t>(std::lround(std::ldexp(factor, p.linear.shift + 7)));
    *high = static_cast<int16_t>(v >> 15);
    *low = static_cast<int16_t>(v & 0x7fff);
  };
  split(a, &p.linear.high_a, &p.linear.low_a);
  split(b, &p.linear.high_b, &p.linear.low_b);
  p.linear.offset = static_cast<int32_t>(std::lround(std::ldexp(start, p.linear.shift)));
  p.linear.flip = lowest == 0 ? 0 : 0x80;
  return equal(add, linear, p);
}

}  // namespace edge::elementwise
