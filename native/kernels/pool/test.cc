#include <cmath>

#include "kernels/pool/pool.h"
#include "kernels/testing.h"

namespace edge::pool {
namespace {

using testing::Guarded;
using testing::Random;

// Every kernel of `op` gives the bytes of its scalar definition, the first of the list.
template <typename T, typename Out>
void compare(Random& random, Op op, const std::vector<const Kernel*>& kernels, size_t channels,
             size_t taps, int32_t min, int32_t max) {
  std::vector<Guarded<T>> x;
  for (int i = 0; i < 6; ++i) {
    x.emplace_back(channels);
    for (size_t c = 0; c < channels; ++c) {
      const int64_t ends[] = {0, 127, 128, 255};  // as int8: 0, 127, -128, -1
      x[i][c] = static_cast<T>(random.integer(0, 3) ? random.integer(0, 255) : random.pick(ends));
      if (i >= 4) x[i][c] = static_cast<T>(i == 4 ? 127 : 128);
    }
  }
  std::vector<const void*> pointers(taps);
  const bool at_the_ends = random.integer(0, 2) == 0;
  const size_t end = random.integer(4, 5);
  for (const void*& p : pointers) p = x[at_the_ends ? end : random.integer(0, 3)].data();
  std::vector<Out> first;
  for (const Kernel* kernel : kernels) {
    if (kernel->op != op) continue;
    Guarded<Out> out(channels);
    for (size_t c = 0; c < channels; ++c) out[c] = static_cast<Out>(c);
    kernel->run({taps, channels, pointers.data(), out.data(), min, max, static_cast<float>(min),
                 static_cast<float>(max)});
    INFO(std::string(kernel->name) << " channels " << channels << " taps " << taps);
    CHECK(out.intact());
    if (first.empty()) first = out.values();
    REQUIRE(out.values() == first);
  }
}

}  // namespace

TEST_CASE("pool: every kernel equals the scalar one around the seams") {
  Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  const std::vector<const Kernel*> found = testing::runnable(all, count);
  for (size_t channels : {1, 7, 8, 9, 15, 16, 17, 31, 33, 100}) {
    for (size_t taps : {1, 2, 3, 9, 49, 127, 128, 129, 300, 70000}) {
      if (taps == 70000 && channels != 17) continue;
      compare<int8_t, int8_t>(random, Op::kAverageI8, found, channels, taps, -128, 127);
      compare<int8_t, int8_t>(random, Op::kAverageI8, found, channels, taps, -20, 30);
      compare<uint8_t, uint8_t>(random, Op::kAverageU8, found, channels, taps, 0, 255);
      compare<uint8_t, uint8_t>(random, Op::kAverageU8, found, channels, taps, 100, 200);
      compare<float, float>(random, Op::kAverageF32, found, channels, taps, 0, 150);
      compare<int8_t, int8_t>(random, Op::kMaxI8, found, channels, taps, -128, 127);
      compare<int8_t, int8_t>(random, Op::kMaxI8, found, channels, taps, -100, 30);
      compare<uint8_t, uint8_t>(random, Op::kMaxU8, found, channels, taps, 0, 255);
      compare<uint8_t, uint8_t>(random, Op::kMaxU8, found, channels, taps, 100, 200);
      compare<float, float>(random, Op::kMaxF32, found, channels, taps, 0, 150);
      compare<int8_t, int32_t>(random, Op::kSumI8, found, channels, taps, 0, 0);
      compare<uint8_t, int32_t>(random, Op::kSumU8, found, channels, taps, 0, 0);
    }
  }
}

TEST_CASE("pool: averages round half away from zero") {
  const int8_t a[] = {1, -1, 127, -128}, b[] = {2, -2, 127, -128};
  const void* x[] = {a, b};
  std::vector<uint8_t> padded;  // kernels may read past the channels
  for (const int8_t* p : {a, b}) {
    padded.insert(padded.end(), p, p + 4);
    padded.resize(padded.size() + kOverread);
  }
  x[0] = padded.data();
  x[1] = padded.data() + 4 + kOverread;
  int8_t out[4];
  select(testing::features(), Op::kAverageI8).run({2, 4, x, out, -128, 127, 0, 0});
  const int8_t expected[] = {2, -2, 127, -128};
  for (int c = 0; c < 4; ++c) CHECK(out[c] == expected[c]);
}

}  // namespace edge::pool
