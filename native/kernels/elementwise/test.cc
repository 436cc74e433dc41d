#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/testing.h"

namespace edge::elementwise {
namespace {

using testing::Guarded;
using testing::Random;

// Those of `all` that run here, the first of each op being its scalar definition.
template <typename K>
std::vector<const K*> runnable(const K* (*all)(size_t*)) {
  size_t count;
  const K* kernels = all(&count);
  return testing::runnable(kernels, count);
}

// Calls run(kernel, out) for each kernel of `op`; all must give the bytes of the first.
template <typename Out, typename K, typename Op, typename Call>
void compare(const std::vector<const K*>& kernels, Op op, size_t n, Call call) {
  std::vector<Out> first;
  for (const K* kernel : kernels) {
    if (kernel->op != op) continue;
    Guarded<Out> out(n);
    call(*kernel, out.data());
    INFO(std::string(kernel->name) << " n " << n);
    CHECK(out.intact());
    if (first.empty()) {
      first = out.values();
    } else {
      // By bytes: a NaN equals itself.
      REQUIRE(std::memcmp(first.data(), out.data(), n * sizeof(Out)) == 0);
    }
  }
}

const size_t kSizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100};

requantize::Multiplier multiplier(Random& random, int low, int high) {
  const bool tie = random.integer(0, 2) == 0;
  const int64_t m = tie ? 1 << 30 : random.integer(1 << 30, INT32_MAX);
  return {static_cast<int32_t>(m), static_cast<int32_t>(random.integer(low, high))};
}

}  // namespace

TEST_CASE("elementwise: int16 add, sub and mul equal the scalar kernels") {
  Random random;
  const auto found = runnable(kernels8);
  for (int round = 0; round < 1000; ++round) {
    for (Op8 op : {Op8::kAddI16, Op8::kMulI16}) {
      const size_t n = random.pick(kSizes);
      std::vector<int16_t> a(n), b(n);
      for (int16_t& v : a) v = random.any<int16_t>();
      for (int16_t& v : b) v = random.any<int16_t>();
      a[0] = b[0] = INT16_MIN;
      Params8 p{0, 0, 0, random.integer(0, 1) ? 1 : -1, 1, {}, {}, {}, -32768, 32767, {}};
      if (random.integer(0, 1)) p.min = static_cast<int32_t>(random.integer(-1000, 0));
      p.ma = multiplier(random, -8, 0);
      p.mb = multiplier(random, -8, 0);
      p.mo = op == Op8::kMulI16 ? multiplier(random, -20, 1) : multiplier(random, -18, -10);
      const bool scalar = random.integer(0, 1);
      compare<int16_t>(found, op, n, [&](const Kernel8& kernel, int16_t* out) {
        kernel.run({n, a.data(), b.data(), scalar, out, &p});
      });
    }
  }
}

TEST_CASE("elementwise: 8-bit add, sub and mul equal the scalar kernels") {
  Random random;
  const auto found = runnable(kernels8);
  for (int round = 0; round < 2000; ++round) {
    for (Op8 op : {Op8::kAddI8, Op8::kAddU8, Op8::kMulI8, Op8::kMulU8}) {
      const bool is_unsigned = op == Op8::kAddU8 || op == Op8::kMulU8;
      const int32_t low = is_unsigned ? 0 : -128;
      const auto code = [&] { return low + static_cast<int32_t>(random.integer(0, 255)); };
      const size_t n = random.pick(kSizes);
      std::vector<uint8_t> a(n), b(n);
      for (uint8_t& v : a) v = static_cast<uint8_t>(code());
      for (uint8_t& v : b) v = static_cast<uint8_t>(code());
      a[0] = static_cast<uint8_t>(low);
      b[0] = static_cast<uint8_t>(low + 255);
      const int32_t bound = code();
      Params8 p{code(), code(),    code(), random.integer(0, 1) ? 1 : -1, 1, {}, {}, {},
                low,    low + 255, {}};
      if (random.integer(0, 1)) (random.integer(0, 1) ? p.min : p.max) = bound;
      p.ma = multiplier(random, -8, 0);
      p.mb = multiplier(random, -8, 0);
      // As ADD has it: the operand of the greater scale is halved.
      if (random.integer(0, 1)) (random.integer(0, 1) ? p.ma : p.mb) = {1 << 30, 0};
      const bool mul = op == Op8::kMulI8 || op == Op8::kMulU8;
      p.mo = mul ? multiplier(random, -12, 3) : multiplier(random, -22, -12);
      const bool scalar = random.integer(0, 1);
      const auto run = [&](const Kernel8& kernel, uint8_t* out) {
        kernel.run({n, a.data(), b.data(), scalar, out, &p});
      };
      compare<uint8_t>(found, op, n, run);
      if (mul) continue;
      // Whatever its parameters are worth.
      make_linear(select(kScalar, op), select(kScalar, Op8::kLinear), &p);
      compare<uint8_t>(found, Op8::kLinear, n, run);
    }
  }
}

TEST_CASE("elementwise: a linear sum is found and equals the rounded one, or is not taken") {
  const Features f = testing::features();
  const auto found = [&](float a, float b, float out, Op8 op, int32_t sign) {
    const double common = 2.0 * double{std::max(a, b)};
    const int32_t low = op == Op8::kAddI8 ? -128 : 0;
    Params8 p{low + 100, low + 7, low + 130, 1, sign, {}, {}, {}, low, low + 255, {}};
    p.ma = requantize::quantize_multiplier(double{a} / common);
    p.mb = requantize::quantize_multiplier(double{b} / common);
    p.mo = requantize::quantize_multiplier(common / (0x1p20 * double{out}));
    return make_linear(select(f, op), select(f, Op8::kLinear), &p);
  };
  for (Op8 op : {Op8::kAddI8, Op8::kAddU8}) {
    CHECK(found(0.1234567f, 0.0871043f, 0.1502919f, op, 1));
    CHECK(found(0.1234567f, 0.0871043f, 0.1502919f, op, -1));
    CHECK(found(0.5012341f, 0.0020719f, 3.1415927f, op, 1));
    // Half of an odd sum is a tie, which goes away from zero.
    CHECK_FALSE(found(0.5f, 0.5f, 1.0f, op, 1));
  }
}

TEST_CASE("elementwise: known sums and products") {
  const Features f = testing::features();
  const int8_t a[] = {1, 2, -3, 100}, b[] = {1, 1, 1, 100};
  int8_t out[4];
  // Equal scales of 1: sum = a + b, difference = a - b.
  Params8 p{
      0,    0,   0, 1, 1, {1 << 30, 0}, {1 << 30, 0}, requantize::quantize_multiplier(0x1p-19),
      -128, 127, {}};
  select(f, Op8::kAddI8).run({4, a, b, false, out, &p});
  for (int i = 0; i < 4; ++i) CHECK(out[i] == (i == 3 ? 127 : a[i] + b[i]));
  p.sign_b = -1;
  select(f, Op8::kAddI8).run({4, a, b, true, out, &p});
  for (int i = 0; i < 4; ++i) CHECK(out[i] == a[i] - 1);
  p.mo = requantize::quantize_multiplier(0.5);
  select(f, Op8::kMulI8).run({4, a, b, false, out, &p});
  const int8_t halves[] = {1, 1, -1, 127};  // 0.5, 1, -1.5 half up, 5000
  for (int i = 0; i < 4; ++i) CHECK(out[i] == halves[i]);
}

TEST_CASE("elementwise: table lookup, out of place and in place") {
  Random random;
  const auto found = runnable(kernels_lut);
  uint8_t table[256];
  for (uint8_t& v : table) v = random.any<uint8_t>();
  for (size_t n : {1, 15, 16, 17, 31, 32, 33, 64, 257, 1000}) {
    std::vector<uint8_t> x(n);
    for (size_t i = 0; i < n; ++i)
      x[i] = static_cast<uint8_t>(i < 256 ? i : random.integer(0, 255));
    compare<uint8_t>(found, Lut::kLut, n, [&](const KernelLut& kernel, uint8_t* out) {
      kernel.run({n, x.data(), table, out});
      std::vector<uint8_t> same = x;
      kernel.run({n, same.data(), table, same.data()});
      REQUIRE(std::memcmp(same.data(), out, n) == 0);
      for (size_t i = 0; i < n; ++i) REQUIRE(out[i] == table[x[i]]);
    });
  }
}

TEST_CASE("elementwise: quantize and dequantize equal the scalar kernels") {
  Random random;
  const auto found = runnable(kernels_convert);
  for (int round = 0; round < 300; ++round) {
    const size_t n = random.pick(kSizes);
    std::vector<float> x(n);
    const float scale = random.integer(0, 1) ? 0.25f : random.real(0.001f, 2);
    for (float& v : x) {
      const float special[] = {INFINITY,
                               -INFINITY,
                               NAN,
                               1e30f,
                               -1e30f,
                               0x1p31f * scale,
                               -0x1p31f * scale,
                               0x1.fffffep30f * scale,
                               0.49999997f * scale};
      const int64_t kind = random.integer(0, 9);
      if (kind == 0) v = random.pick(special);
      if (kind > 0) v = random.real(-200, 200);
      if (kind > 4) v = static_cast<float>(random.integer(-600, 600)) * 0.5f * scale;  // ties
    }
    std::vector<uint8_t> q(n);
    for (uint8_t& v : q) v = random.any<uint8_t>();
    const int32_t code = static_cast<int32_t>(random.integer(0, 255));
    for (Convert op : {Convert::kQuantizeI8, Convert::kQuantizeU8}) {
      const int32_t zero_point = op == Convert::kQuantizeI8 ? code - 128 : code;
      compare<uint8_t>(found, op, n, [&](const KernelConvert& kernel, uint8_t* out) {
        kernel.run({n, x.data(), out, scale, zero_point});
      });
    }
    for (Convert op : {Convert::kDequantizeI8, Convert::kDequantizeU8}) {
      const int32_t zero_point = op == Convert::kDequantizeI8 ? code - 128 : code;
      compare<float>(found, op, n, [&](const KernelConvert& kernel, float* out) {
        kernel.run({n, q.data(), out, scale, zero_point});
      });
    }
  }
}

TEST_CASE("elementwise: quantize rounds half away from zero; what has no integer is the lowest") {
  const float x[] = {0.5f, -0.5f, 1.5f, -2.5f, NAN, INFINITY, -INFINITY, 3e9f, 2e9f, 0.49999997f};
  const int8_t expected[] = {1, -1, 2, -3, -128, -128, -128, -128, 127, 0};
  int8_t out[10];
  select(testing::features(), Convert::kQuantizeI8).run({10, x, out, 1.0f, 0});
  for (int i = 0; i < 10; ++i) CHECK(out[i] == expected[i]);
  select(testing::features(), Convert::kQuantizeI8).run({10, x, out, 1.0f, -1});
  for (int i = 4; i < 8; ++i) CHECK(out[i] == 127);  // wrapped round
}

TEST_CASE("elementwise: float arithmetic equals the scalar kernels, NaN and infinities too") {
  Random random;
  const auto found = runnable(kernels_f32);
  const float special[] = {INFINITY, -INFINITY, NAN, 0.0f, 1e-40f};
  for (int round = 0; round < 300; ++round) {
    for (OpF32 op : {OpF32::kAdd, OpF32::kSub, OpF32::kMul, OpF32::kDiv, OpF32::kMin, OpF32::kMax,
                     OpF32::kPrelu}) {
      const size_t n = random.pick(kSizes);
      std::vector<float> a(n), b(n);
      for (std::vector<float>* side : {&a, &b}) {
        for (float& v : *side) v = random.integer(0, 9) ? random.real(-3, 3) : random.pick(special);
      }
      const int64_t scalar = random.integer(0, 2);
      const bool clamped = random.integer(0, 1);
      compare<float>(found, op, n, [&](const KernelF32& kernel, float* out) {
        kernel.run({n, a.data(), b.data(), scalar == 1, scalar == 2, out, clamped ? 0 : -INFINITY,
                    clamped ? 6 : INFINITY});
        // The sign of a zero and the bits of a NaN are the CPU's business.
        for (size_t i = 0; i < n; ++i) out[i] = std::isnan(out[i]) ? NAN : out[i] + 0.0f;
      });
    }
  }
}

}  // namespace edge::elementwise
