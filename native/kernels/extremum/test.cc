#include "kernels/extremum/extremum.h"
#include "kernels/testing.h"

namespace edge::extremum {

TEST_CASE("extremum: every kernel finds the scalar one's element, the first of equal ones") {
  testing::Random random;
  size_t count;
  const Kernel* all = kernels(&count);
  const auto runnable = testing::runnable(all, count);
  for (int round = 0; round < 50; ++round) {
    for (size_t extent : {1, 2, 15, 16, 17, 21, 32, 255, 256, 257, 600}) {
      const size_t rows = 3;
      const uint8_t flips[] = {0, 0x80, 0x7f, 0xff};
      const uint8_t flip = random.pick(flips);
      testing::Guarded<uint8_t> x(rows * extent);
      const int64_t span = round % 3 == 0 ? 0 : round % 3 == 1 ? 3 : 255;
      const int64_t low = round % 2 ? 0 : 255 - span;  // the largest keys, too
      for (size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<uint8_t>(random.integer(low, low + span));
      }
      int32_t expected[rows];
      select(kScalar).run({rows, extent, x.data(), flip, expected});
      for (const Kernel* kernel : runnable) {
        testing::Guarded<int32_t> out(rows);
        kernel->run({rows, extent, x.data(), flip, out.data()});
        INFO(std::string(kernel->name) << " extent " << extent);
        CHECK(out.intact());
        for (size_t r = 0; r < rows; ++r) REQUIRE(out[r] == expected[r]);
      }
    }
  }
}

TEST_CASE("extremum: known rows") {
  const uint8_t x[5 + kOverread] = {5, 1, 255, 1, 255};
  const auto find = [&](uint8_t flip) {
    int32_t out;
    select(testing::features()).run({1, 5, x, flip, &out});
    return out;
  };
  CHECK(find(0) == 1);
  CHECK(find(0xff) == 2);
  CHECK(find(0x80) == 2);  // -1
  CHECK(find(0x7f) == 0);
}

}  // namespace edge::extremum
