#include "kernels/resize/resize.h"
#include "kernels/testing.h"

namespace edge::resize {
namespace {

using testing::Guarded;
using testing::Random;

// All kernels of `op` give the bytes of the scalar one, or of kU8's where the weights allow that.
template <typename T>
void compare(Random& random, Op op, bool integer, int64_t low, int64_t high) {
  size_t count;
  const Kernel* all = kernels(&count);
  const auto runnable = testing::runnable(all, count);
  for (size_t channels : {1, 3, 7, 8, 9, 16, 21}) {
    for (size_t cols : {1, 2, 9, 40}) {
      const size_t in_cols = static_cast<size_t>(random.integer(1, 12)), n = in_cols * channels;
      Guarded<T> top(n), bottom(n);
      for (size_t i = 0; i < n; ++i) {
        top[i] = static_cast<T>(random.integer(low, high));
        bottom[i] = static_cast<T>(random.integer(low, high));
        if (cols == 2) top[i] = bottom[i] = static_cast<T>(low);
        if (cols == 9) top[i] = bottom[i] = static_cast<T>(high);
      }
      // Weights of ties, too.
      const auto near = [&] {
        if (op == Op::kU8Sixteenths) return static_cast<float>(random.integer(0, 16)) / 16;
        if (random.integer(0, 1)) return integer ? 512.0f : 0.5f;
        return integer ? static_cast<float>(random.integer(0, 1024)) : random.real(0, 1);
      };
      const float one = integer ? 1024.0f : 1.0f, t = near();
      std::vector<Place> places(cols);
      for (Place& p : places) {
        p.low = static_cast<size_t>(random.integer(0, static_cast<int64_t>(in_cols) - 1));
        p.high = static_cast<size_t>(random.integer(0, static_cast<int64_t>(in_cols) - 1));
        p.near_low = near();
        p.near_high = one - p.near_low;
      }
      Arena scratch(scratch_bytes(in_cols, channels));
      std::vector<T> expected(cols * channels);
      select(kScalar, op == Op::kU8Sixteenths ? Op::kU8 : op)
          .run({in_cols, cols, channels, top.data(), bottom.data(), t, one - t, places.data(),
                scratch.data(), expected.data()});
      for (const Kernel* kernel : runnable) {
        if (kernel->op != op) continue;
        Guarded<T> out(cols * channels);
        kernel->run({in_cols, cols, channels, top.data(), bottom.data(), t, one - t, places.data(),
                     scratch.data(), out.data()});
        INFO(std::string(kernel->name) << " " << cols << "x" << channels);
        CHECK(out.intact());
        REQUIRE(std::memcmp(expected.data(), out.data(), expected.size() * sizeof(T)) == 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("resize: every kernel equals the scalar one") {
  Random random;
  for (int round = 0; round < 10; ++round) {
    compare<float>(random, Op::kF32, false, -1000, 1000);
    compare<uint8_t>(random, Op::kU8, false, 0, 255);
    compare<uint8_t>(random, Op::kU8Sixteenths, false, 0, 255);
    compare<int8_t>(random, Op::kI8, true, -128, 127);
    compare<int16_t>(random, Op::kI16, true, -32768, 32767);
  }
}

TEST_CASE("resize: half of an odd difference goes up, or away from zero") {
  const uint8_t codes[2 + kOverread] = {1, 2};
  const int8_t negative[2 + kOverread] = {-1, -2};
  const Place place{0, 1, 0.5f, 0.5f}, fixed{0, 1, 512, 512};
  Arena scratch(scratch_bytes(2, 1));
  uint8_t up;
  select(testing::features(), Op::kU8)
      .run({2, 1, 1, codes, codes, 1, 0, &place, scratch.data(), &up});
  CHECK(up == 2);
  int8_t away;
  select(testing::features(), Op::kI8)
      .run({2, 1, 1, negative, negative, 1024, 0, &fixed, scratch.data(), &away});
  CHECK(away == -2);
}

}  // namespace edge::resize
