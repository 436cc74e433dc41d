// The exponentials of one model's softmax, in gemmlowp's fixed point.
#include <algorithm>
#include <cmath>

#include "kernels/softmax/fixed_point.h"
#include "kernels/softmax/softmax.h"

namespace edge::softmax {
namespace {

constexpr int kIntegerBits = 5;  // differences are Q5.26: beyond -32, exp is 0
constexpr int kFraction = 31 - kIntegerBits;

// exp(a) for a in [-1/4, 0), Q0.31: the Taylor polynomial of degree 4 around -1/8.
int32_t exp_near_zero(int32_t a) {
  constexpr int32_t kExpMinusEighth = 1895147668;  // exp(-1/8)
  constexpr int32_t kThird = 715827883;            // 1/3
  const int32_t x = a + (1 << 28);                 // a + 1/8
  const int32_t x2 = multiply(x, x);
  const int32_t x3 = multiply(x2, x);
  const int32_t x4 = multiply(x2, x2);
  // ((x^4 / 4 + x^3) / 3 + x^2) / 2
  const int32_t tail = round_shift(multiply(round_shift(x4, 2) + x3, kThird) + x2, 1);
  return kExpMinusEighth + multiply(kExpMinusEighth, x + tail);
}

// exp(a) for a <= 0 in Q5.26, as Q0.31: a = r - sum of powers of two, r in [-1/4, 0).
int32_t exp_negative(int32_t a) {
  if (a == 0) return INT32_MAX;
  constexpr int32_t kQuarter = 1 << (kFraction - 2);
  // exp(-1/4), exp(-1/2), exp(-1), ... exp(-16)
  constexpr int32_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308,
                                  39332535,   720401,     242};
  const int32_t r = (a & (kQuarter - 1)) - kQuarter;
  const int32_t rest = r - a;  // a non-negative multiple of 1/4
  int32_t result = exp_near_zero(shift_left(r, kIntegerBits));
  for (int i = 0; i < 7; ++i) {
    if ((rest & (kQuarter << i)) != 0) result = multiply(result, kFactors[i]);
  }
  return result;
}

}  // namespace

void make_table(float scale, float beta, Table* table) {
  // Scales below 2^-26 give exponentials of 1 for every difference, as 2^-26 does.
  const double real = std::clamp(
      static_cast<double>(beta) * static_cast<double>(scale) * static_cast<double>(1 << kFraction),
      1.0, static_cast<double>(INT32_MAX));
  const requantize::Multiplier multiplier = requantize::quantize_multiplier(real);
  const int left = multiplier.e;
  table->reach = static_cast<int32_t>(
      std::floor(((1 << kIntegerBits) - 1) * std::ldexp(1.0, kFraction - left)));
  for (int32_t d = 0; d < 256; ++d) {
    const int64_t x = -static_cast<int64_t>(d) * (int64_t{1} << left);
    const bool within = d <= table->reach;
    table->exp[d] = within ? exp_negative(multiply(static_cast<int32_t>(x), multiplier.m)) : 0;
  }
}

}  // namespace edge::softmax
