#include <algorithm>
#include <cmath>

#include "kernels/requantize/requantize.h"
#include "kernels/testing.h"

namespace edge::requantize {
namespace {

using testing::Guarded;
using testing::Random;

std::vector<const Kernel*> runnable(Rule rule) {
  size_t count;
  const Kernel* all = kernels(&count);
  std::vector<const Kernel*> found;
  for (const Kernel* k : testing::runnable(all, count)) {
    if (k->rule == rule) found.push_back(k);
  }
  return found;
}

// Equal outputs of every kernel and its scalar definition, and nothing written outside.
void compare(Rule rule, size_t rows, size_t cols, const std::vector<int32_t>& acc,
             const Params& params, size_t first_col) {
  const size_t stride = (cols + 7) / 8 * 8 + 8, out_stride = cols + 3;
  REQUIRE(acc.size() >= rows * stride);
  std::vector<std::vector<uint8_t>> results;
  static const std::vector<const Kernel*> kernels[] = {runnable(Rule::kDoubleRounding),
                                                       runnable(Rule::kReal)};
  for (const Kernel* kernel : kernels[static_cast<int>(rule)]) {
    Guarded<uint8_t> out(rows * out_stride);
    std::memset(out.data(), 0x5a, out.size());
    kernel->run({rows, cols, acc.data(), stride, out.data(), out_stride, &params, first_col});
    CHECK_MESSAGE(out.intact(), std::string(kernel->name));
    for (size_t i = 0; i < rows; ++i) {
      for (size_t n = cols; n < out_stride; ++n) REQUIRE(out[i * out_stride + n] == 0x5a);
    }
    results.push_back(out.values());
    CHECK_MESSAGE(results.back() == results.front(), std::string(kernel->name)
                                                         << " " << rows << "x" << cols);
  }
}

Params range(Random& random, bool is_unsigned) {
  Params p;
  const int32_t low = is_unsigned ? 0 : -128;
  p.zero_point = low + static_cast<int32_t>(random.integer(0, 255));
  p.min = random.integer(0, 1) ? low : p.zero_point;
  p.max = random.integer(0, 1) ? low + 255 : static_cast<int32_t>(random.integer(p.min, low + 255));
  return p;
}

}  // namespace

TEST_CASE("quantize_multiplier: exact powers, rounding up to one, underflow") {
  const auto is = [](double real, int32_t m, int32_t e) {
    const Multiplier q = quantize_multiplier(real);
    CHECK(q.m == m);
    CHECK(q.e == e);
  };
  is(1.0, 1 << 30, 1);
  is(0.5, 1 << 30, 0);
  is(0.75, 3 << 29, 0);
  is(1 - 0x1p-40, 1 << 30, 1);  // the fraction rounds to 1
  is(0.0, 0, 0);
  is(0x1p-32, 1 << 30, -31);
  is(0x1p-33, 0, 0);
  is(131072.0, 1 << 30, 18);
}

TEST_CASE("double_round: known values") {
  CHECK(double_round(3, 1 << 30, 0) == 2);               // 1.5 up
  CHECK(double_round(-3, 1 << 30, 0) == -1);             // -1.5 half up
  CHECK(double_round(6, 1 << 30, -1) == 2);              // 3 / 2
  CHECK(double_round(-6, 1 << 30, -1) == -2);            // -3 / 2: away from zero
  CHECK(double_round(-5, 1 << 30, -1) == -1);            // -2.5 -> -2, -2 / 2
  CHECK(double_round(16129, 1 << 30, 18) == -33423360);  // the left shift wraps
  CHECK(double_round(INT32_MIN, INT32_MAX, 0) == -2147483647);
  CHECK(double_round(INT32_MAX, INT32_MAX, -31) == 1);
}

TEST_CASE("requantize: random accumulators, multipliers and shapes") {
  Random random;
  for (int round = 0; round < 3000; ++round) {
    const size_t rows = random.integer(1, 9), cols = random.integer(1, 40);
    const size_t first = random.integer(0, 5);
    const bool shifts_only_right = random.integer(0, 1);
    std::vector<int32_t> multiplier(first + cols), exponent(first + cols);
    for (size_t n = 0; n < first + cols; ++n) {
      multiplier[n] = random.integer(0, 3) == 0 ? 1 << 30 : random.integer(1 << 30, INT32_MAX);
      exponent[n] = shifts_only_right ? random.integer(-31, -1) : random.integer(-31, 31);
      if (random.integer(0, 20) == 0) multiplier[n] = exponent[n] = 0;
    }
    std::vector<int32_t> acc(rows * (cols + 16));
    const int bits = static_cast<int>(random.integer(4, 32));
    for (int32_t& a : acc) a = random.any<int32_t>() >> (32 - bits);
    acc[0] = INT32_MIN;
    acc[acc.size() / 2] = INT32_MAX;
    Params params = range(random, random.integer(0, 1));
    params.multiplier = multiplier.data();
    params.exponent = exponent.data();
    compare(Rule::kDoubleRounding, rows, cols, acc, params, first);
  }
}

TEST_CASE("requantize: ties of power-of-two scales") {
  // Every accumulator around the ties of every shift, whose output is then within the range.
  for (int32_t e = -31; e <= 4; ++e) {
    const size_t rows = 40, cols = 8;
    std::vector<int32_t> multiplier(cols, 1 << 30), exponent(cols, e), acc(rows * 16);
    const int64_t half = int64_t{1} << (e < 0 ? -e : 0);  // of the output's step 2^(1 - e)
    for (size_t i = 0; i < acc.size(); ++i) {
      const int64_t tie = (static_cast<int64_t>(i / 5) - 64) * half;
      const int64_t x = tie + static_cast<int64_t>(i % 5) - 2;
      acc[i] = static_cast<int32_t>(std::min<int64_t>(std::max<int64_t>(x, INT32_MIN), INT32_MAX));
    }
    Params params;
    params.multiplier = multiplier.data();
    params.exponent = exponent.data();
    params.zero_point = -3;
    compare(Rule::kDoubleRounding, rows, cols, acc, params, 0);
  }
}

TEST_CASE("requantize: fully connected rule, ties and extremes") {
  Random random;
  for (int round = 0; round < 1000; ++round) {
    const size_t rows = random.integer(1, 9), cols = random.integer(1, 40);
    const size_t first = random.integer(0, 5);
    std::vector<double> scale(first + cols);
    for (double& s : scale) {
      s = std::ldexp(random.integer(0, 1) ? 1.0 : random.integer(1 << 20, 1 << 21) * 0x1p-20,
                     static_cast<int>(random.integer(-24, 12)));
    }
    std::vector<int32_t> acc(rows * (cols + 16));
    const int bits = static_cast<int>(random.integer(4, 32));
    for (int32_t& a : acc) a = random.any<int32_t>() >> (32 - bits);
    acc[0] = INT32_MIN;
    acc[acc.size() / 2] = INT32_MAX;
    Params params = range(random, random.integer(0, 1));
    params.scale = scale.data();
    compare(Rule::kReal, rows, cols, acc, params, first);
  }
  const double scale[8] = {0.5, 0.5, 0.5, 0.5, 0.49999999999999994, 1, 0.25, 0.5};
  std::vector<int32_t> acc{1, -1, 3, -3, 1, 5, 2, INT32_MIN};
  acc.resize(16);
  Params params;
  params.scale = scale;
  uint8_t out[8];
  for (const Kernel* kernel : runnable(Rule::kReal)) {
    kernel->run({1, 8, acc.data(), 16, out, 8, &params, 0});
    const int8_t expected[] = {1, -1, 2, -2, 0, 5, 1, -128};
    for (int n = 0; n < 8; ++n) CHECK(static_cast<int8_t>(out[n]) == expected[n]);
  }
  // What does not fit an int32 is INT32_MIN, which a zero point below 0 wraps round.
  const double large[8] = {0x1p30, 0x1p31, 0x1p31, 0x1p60, 1, 1, 1, 1};
  acc.assign({1, 1, -1, -5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  params.scale = large;
  for (const Kernel* kernel : runnable(Rule::kReal)) {
    for (int32_t zero_point : {0, -1}) {
      params.zero_point = zero_point;
      kernel->run({1, 8, acc.data(), 16, out, 8, &params, 0});
      const int8_t lowest = zero_point < 0 ? 127 : -128;
      const int8_t expected[] = {127, lowest, lowest, lowest};
      for (int n = 0; n < 4; ++n) CHECK(static_cast<int8_t>(out[n]) == expected[n]);
    }
  }
}

TEST_CASE("requantize: int16 outputs, ties and extremes") {
  Random random;
  for (Rule rule : {Rule::kWideReal, Rule::kWideReduced}) {
    const std::vector<const Kernel*> kernels = runnable(rule);
    for (int round = 0; round < 1000; ++round) {
      const size_t rows = random.integer(1, 5), cols = random.integer(1, 40), first = 3;
      const size_t stride = (cols + 7) / 8 * 8, out_stride = cols + 3;
      std::vector<int32_t> multiplier(first + cols), exponent(first + cols);
      std::vector<double> scale(first + cols);
      for (size_t n = 0; n < scale.size(); ++n) {
        multiplier[n] = random.integer(0, 1) ? 1 << 30 : random.integer(1 << 30, INT32_MAX);
        exponent[n] = random.integer(-31, 0);
        const Multiplier m{multiplier[n], exponent[n]};
        scale[n] = rule == Rule::kWideReduced ? reduced_scale(m) : std::ldexp(m.m, m.e - 31);
      }
      std::vector<int32_t> acc(rows * stride);
      const int bits = static_cast<int>(random.integer(4, 32));
      for (int32_t& a : acc) a = random.any<int32_t>() >> (32 - bits);
      acc[0] = INT32_MIN;
      Params params;
      params.multiplier = multiplier.data();
      params.exponent = exponent.data();
      params.scale = scale.data();
      params.min = static_cast<int32_t>(random.integer(-32768, 0));
      params.max = random.integer(0, 1) ? 32767 : static_cast<int32_t>(random.integer(0, 32767));
      for (const Kernel* kernel : kernels) {
        Guarded<int16_t> out(rows * out_stride);
        std::fill_n(out.data(), out.size(), int16_t{0x5a});
        kernel->run({rows, cols, acc.data(), stride, reinterpret_cast<uint8_t*>(out.data()),
                     out_stride, &params, first});
        CHECK(out.intact());
        INFO(kernel->name << " " << rows << "x" << cols);
        for (size_t i = 0; i < rows; ++i) {
          for (size_t n = 0; n < out_stride; ++n) {
            const int16_t expected =
                n < cols ? wide_result(rule, params, acc[i * stride + n], first + n) : 0x5a;
            REQUIRE(out[i * out_stride + n] == expected);
          }
        }
      }
    }
  }
}

#if EDGE_HAVE_X86_SSE41
static void check_float_forms(FindFloatForms* find) {
  Random random;
  size_t proved = 0, tried = 0;
  for (int round = 0; round < 400; ++round) {
    const int32_t e = static_cast<int32_t>(random.integer(-16, 1));
    const int32_t m = random.integer(0, 9) == 0
                          ? (1 << 30) + (static_cast<int32_t>(random.integer(0, 3)) << 28)
                          : static_cast<int32_t>(random.integer(1 << 30, INT32_MAX));
    const int32_t reach = static_cast<int32_t>(random.integer(0, 255));
    const double centre = static_cast<double>(random.integer(-1, 1) * random.any<int32_t>() / 4);
    const double width = random.integer(0, 1) ? 1e9 : static_cast<double>(random.integer(0, 1000));
    const Bounds bounds{centre - width, centre + width};
    FloatForm f;
    find(&m, &e, &bounds, 1, reach, &f);
    ++tried;
    if (!f.proved) continue;
    ++proved;
    const auto equal_at = [&](int64_t x) {
      if (static_cast<double>(x) < bounds.low || static_cast<double>(x) > bounds.high) return;
      // As the kernel has it: x in float, the sum in double, which is exact enough to cut.
      const double exact = static_cast<double>(static_cast<float>(x)) * f.scale +
                           std::copysign(static_cast<double>(f.offset), static_cast<double>(x));
      const int32_t expected = double_round(static_cast<int32_t>(x), m, e);
      REQUIRE(std::clamp(static_cast<int32_t>(exact), -reach, reach) ==
              std::clamp(expected, -reach, reach));
      const double plain = static_cast<double>(static_cast<float>(x)) * f.scale + f.offset;
      REQUIRE(std::clamp(static_cast<int32_t>(plain), 0, reach) == std::clamp(expected, 0, reach));
    };
    const double step = std::ldexp(1.0, 31 - e) / m;
    for (int32_t k = -reach; k <= reach; ++k) {
      const int64_t near = static_cast<int64_t>((k - 0.5) * step);
      for (int64_t x = near - 3; x <= near + 3; ++x) equal_at(x);
    }
    for (double x : {-1.0, 0.0, 1.0, -0x1p31, 0x1p31 - 1, bounds.low, bounds.high}) {
      equal_at(static_cast<int64_t>(x));
    }
  }
  // Power-of-two multipliers have ties and stay with the integers; nearly all others are proved.
  CHECK(proved > tried * 7 / 10);
}

TEST_CASE("requantize: a proved float form equals double rounding wherever it steps") {
  if (testing::features() & kSse41) check_float_forms(find_float_forms_sse41);
#if EDGE_HAVE_X86_AVX2
  if (testing::features() & kAvx2) check_float_forms(find_float_forms_avx2);
#endif
#if EDGE_HAVE_X86_AVX512VNNI
  if (testing::features() & kAvx512Vnni) check_float_forms(find_float_forms_avx512vnni);
#endif
}
#endif

}  // namespace edge::requantize
