#include "runtime/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "base/arena.h"

namespace edge {
namespace {

bool overlap(const Lifetime& a, const Lifetime& b) {
  const bool in_time = a.first <= b.last && b.first <= a.last;
  return in_time && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

}  // namespace

TEST_CASE("memory: what lives at once never overlaps, and the arena holds all") {
  std::mt19937 random(17);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> all(1 + random() % 40);
    for (Lifetime& l : all) {
      l.bytes = random() % 5000;
      l.first = static_cast<int>(random() % 20);
      l.last = l.first + static_cast<int>(random() % 5);
    }
    const size_t total = plan_memory(&all);
    for (size_t i = 0; i < all.size(); ++i) {
      CHECK(all[i].offset % kAlignment == 0);
      CHECK(all[i].offset + all[i].bytes <= total);
      for (size_t j = 0; j < i; ++j) CHECK_FALSE(overlap(all[i], all[j]));
    }
  }
}

TEST_CASE("memory: what cannot be counted is more than any arena has") {
  std::vector<Lifetime> all;
  for (int i = 0; i < 4; ++i) all.push_back({SIZE_MAX / 4 + 1, 0, 1, 0});
  CHECK(plan_memory(&all) == SIZE_MAX);
  CHECK(align_up(SIZE_MAX - 1) == SIZE_MAX);
  CHECK(Arena(SIZE_MAX).data() == nullptr);
}

TEST_CASE("memory: a chain of equal tensors needs two of them") {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({1024, i, i + 1, 0});
  CHECK(plan_memory(&chain) == 2048);
}

}  // namespace edge
