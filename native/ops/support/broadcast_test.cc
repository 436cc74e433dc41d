#include "ops/support/broadcast.h"

#include <doctest/doctest.h>

#include <numeric>
#include <random>
#include <vector>

namespace edge {
namespace {

// Which element of an operand of `shape` belongs to element `index` of the result.
size_t element(const Shape& shape, const Shape& result, size_t index) {
  size_t at = 0, step = 1;
  for (int i = 1; i <= result.rank(); ++i) {
    const size_t extent = static_cast<size_t>(result[result.rank() - i]);
    const size_t coordinate = index % extent;
    index /= extent;
    if (i > shape.rank()) continue;
    const size_t own = static_cast<size_t>(shape[shape.rank() - i]);
    if (own != 1) at += coordinate * step;
    step *= own;
  }
  return at;
}

// Runs cover the result once, each with the operands that numpy's rules name.
void check_runs(const Shape& a, const Shape& b, int threads) {
  CAPTURE(to_string(a));
  CAPTURE(to_string(b));
  const Result<Shape> shape = broadcast_shape(a, b);
  REQUIRE(shape.ok());
  const Broadcast s = make_broadcast(a, b);
  REQUIRE(s.count == static_cast<size_t>(shape->count()));
  std::vector<size_t> from_a(s.count, SIZE_MAX), from_b(s.count, SIZE_MAX);
  std::vector<char> written(s.count, 0);
  ThreadPool pool(threads);
  for_runs(pool, s, [&](const Run& r) {
    for (size_t i = 0; i < r.n; ++i) {
      from_a[r.out + i] = r.a + (s.a_repeats ? 0 : i);
      from_b[r.out + i] = r.b + (s.b_repeats ? 0 : i);
      ++written[r.out + i];
    }
  });
  size_t wrong = 0;
  for (size_t i = 0; i < s.count; ++i) {
    wrong +=
        written[i] != 1 || from_a[i] != element(a, *shape, i) || from_b[i] != element(b, *shape, i);
  }
  CHECK(wrong == 0);

  // Blocks do the same with the elements themselves.
  std::vector<int32_t> all_a(static_cast<size_t>(a.count()) + 1),
      all_b(static_cast<size_t>(b.count()) + 1);
  std::iota(all_a.begin(), all_a.end(), 0);
  std::iota(all_b.begin(), all_b.end(), 0);
  std::vector<char> again(s.count, 0);
  for_blocks(pool, s, all_a.data(), all_b.data(), [&](const Block<int32_t>& block) {
    for (size_t i = 0; i < block.n; ++i) {
      const size_t at = block.out + i;
      const int32_t x = block.a[block.a_repeats ? 0 : i], y = block.b[block.b_repeats ? 0 : i];
      again[at] = static_cast<size_t>(x) == from_a[at] && static_cast<size_t>(y) == from_b[at];
    }
  });
  CHECK(std::count(again.begin(), again.end(), 1) == static_cast<std::ptrdiff_t>(s.count));
}

TEST_CASE("broadcast: random shapes of every rank") {
  std::mt19937 random(1);
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 2000; ++round) {
    const int rank = below(kMaxRank + 1);
    Shape a, b;
    const int missing = below(4) == 0 ? below(rank + 1) : 0;
    for (int i = 0; i < rank; ++i) {
      const int32_t n = below(20) == 0 ? 0 : 1 + below(4);
      const int kind = below(5);
      a.push_back(kind == 0 ? 1 : n);
      if (i >= missing) b.push_back(kind == 1 ? 1 : n);
    }
    if (below(2)) std::swap(a, b);
    check_runs(a, b, 1);
  }
}

TEST_CASE("broadcast: runs that are cut where work is given to threads") {
  check_runs({3, 100, 1, 77}, {100, 50, 1}, 3);
  check_runs({70001}, {}, 2);
  check_runs({5, 1, 7001}, {5, 3, 7001}, 3);
  check_runs({90, 200, 3}, {3}, 2);
  check_runs({48, 48, 1}, {1, 17}, 2);
  check_runs({2, 3, 700, 3}, {700, 3}, 2);
}

TEST_CASE("broadcast: runs are as long as they can be") {
  auto runs = [](const Shape& a, const Shape& b) { return make_broadcast(a, b); };
  CHECK(runs({2, 3, 4}, {2, 3, 4}).run == 24);
  CHECK(runs({1, 8, 8, 16}, {16}).run == 16);
  CHECK(runs({1, 8, 8, 16}, {16}).rank == 1);
  CHECK(runs({1, 8, 8, 16}, {1, 1, 1, 1}).run == 1024);
  CHECK(runs({1, 8, 8, 16}, {1, 1, 1, 1}).b_repeats);
  CHECK(runs({4, 8, 8, 16}, {4, 1, 1, 16}).rank == 2);
  CHECK(runs({}, {}).count == 1);
}

TEST_CASE("broadcast: shapes that do not fit") {
  const Result<Shape> shape = broadcast_shape({2, 3}, {2, 2});
  CHECK(shape.status().code() == Code::kInvalidModel);
  CHECK(shape.status().message() == "shapes [2,3] and [2,2] do not fit each other");
  CHECK(!broadcast_shape({0}, {2}).ok());
  CHECK(*broadcast_shape({0}, {1}) == Shape{0});
}

}  // namespace
}  // namespace edge
