#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/row_codes/row_codes.h"
#include "kernels/testing.h"

namespace edge::row_codes {

constexpr size_t kSizes[] = {0, 1, 7, 8, 15, 16, 31, 32, 33, 64, 100, 257};

TEST_CASE("row_codes: every kernel finds the scalar one's extent and codes") {
  testing::Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  const auto runnable = testing::runnable(all, count);
  const Kernel& scalar = select(kScalar);
  constexpr float kOdd[] = {NAN, INFINITY, -INFINITY, 0.f, -0.f, 1e-40f, 3e38f};
  for (int round = 0; round < 200; ++round) {
    for (size_t n : kSizes) {
      testing::Guarded<float> x(n);
      const float size = random.pick({1e-30f, 0.1f, 1.f, 1e4f, 1e30f});
      for (size_t i = 0; i < n; ++i) {
        const bool odd = round % 4 == 0 && random.integer(0, 9) == 0;
        x[i] = odd ? random.pick(kOdd) : random.real(round % 3 ? -size : 0.f, size);
      }
      const Extent extent = scalar.extent(x.data(), n);
      Codes codes = find(scalar, x.data(), n, round % 2 == 1);
      // Halves, where the two ways to round part.
      if (round % 5 == 0) codes.inverse = 0.5f / size;
      const size_t rough = static_cast<size_t>(random.integer(0, static_cast<int64_t>(n)));
      testing::Guarded<int8_t> expected(n);
      scalar.encode({&codes, x.data(), rough, n, expected.data()});
      for (const Kernel* kernel : runnable) {
        INFO(std::string(kernel->name) << " n " << n << " rough " << rough);
        const Extent found = kernel->extent(x.data(), n);
        REQUIRE(found.low == extent.low);
        REQUIRE(found.high == extent.high);
        testing::Guarded<int8_t> out(n);
        kernel->encode({&codes, x.data(), rough, n, out.data()});
        CHECK(out.intact());
        for (size_t i = 0; i < n; ++i) REQUIRE(out[i] == expected[i]);
      }
    }
  }
}

TEST_CASE("row_codes: every kernel gives the scalar one's floats, to the bit") {
  testing::Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  const auto runnable = testing::runnable(all, count);
  for (int round = 0; round < 100; ++round) {
    for (size_t n : kSizes) {
      std::vector<uint32_t> sums(n), acc(n);
      std::vector<float> scale(n), bias(n);
      for (size_t i = 0; i < n; ++i) {
        acc[i] = random.any<uint32_t>() >> random.integer(0, 24);
        sums[i] = random.any<uint32_t>();
        scale[i] = random.integer(0, 20) ? random.real(0.f, 1.f) : INFINITY;
        bias[i] = random.real(-100.f, 100.f);
      }
      const int32_t offset = round % 2 ? 0 : static_cast<int32_t>(random.integer(-128, 127));
      const bool relu = round % 3 == 0;
      DecodeArgs args{n,
                      nullptr,
                      random.real(0.f, 1.f),
                      offset,
                      sums.data(),
                      scale.data(),
                      bias.data(),
                      round % 4 < 2,
                      relu ? 0.f : -INFINITY,
                      relu ? 6.f : INFINITY};
      const auto run = [&](const Kernel& kernel) {
        testing::Guarded<uint32_t> y(n);
        std::copy(acc.begin(), acc.end(), y.data());
        args.y = y.data();
        kernel.decode(args);
        CHECK(y.intact());
        return std::vector<uint32_t>(y.data(), y.data() + n);
      };
      const std::vector<uint32_t> expected = run(select(kScalar));
      for (const Kernel* kernel : runnable) {
        INFO(std::string(kernel->name) << " n " << n);
        REQUIRE(run(*kernel) == expected);
      }
    }
  }
}

TEST_CASE("row_codes: known rows") {
  const Kernel& kernel = select(testing::features());
  const float ends[] = {-1.f, 0.5f};
  Codes codes = find(kernel, ends, 2, false);
  CHECK(codes.offset == 0);
  CHECK(codes.scale == 1.f / 127);
  CHECK(codes.inverse == 127.f);
  codes.inverse = 1;
  constexpr float kNearlyHalf = 0.49999997f;
  const float x[9] = {-200.f, -0.5f, kNearlyHalf, 2.4f, 200.f, NAN, 0.f, 0.f, kNearlyHalf};
  int8_t out[9];
  kernel.encode({&codes, x, roughly(9), 9, out});
  const int8_t expected[9] = {-127, -1, 1, 2, 127, -127, 0, 0, 0};  // 1 as TFLite's vectors round
  for (size_t i = 0; i < 9; ++i) CHECK(out[i] == expected[i]);
  const float positive[] = {0.f, 255.f};
  codes = find(kernel, positive, 2, true);
  CHECK(codes.scale == 1.f);
  CHECK(codes.offset == -128);
}

}  // namespace edge::row_codes
