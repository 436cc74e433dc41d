#include "ops/support/nms.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace edge {
namespace {

std::vector<int32_t> suppressed(const Suppression& rule, const std::vector<Box>& boxes,
                                const std::vector<float>& scores) {
  std::vector<int32_t> order(boxes.size()), selected(static_cast<size_t>(rule.limit));
  const int32_t kept = suppress(
      rule, [&](int32_t i) { return boxes[static_cast<size_t>(i)]; }, scores.data(),
      static_cast<int32_t>(boxes.size()), order.data(), selected.data());
  selected.resize(static_cast<size_t>(kept));
  return selected;
}

using Kept = std::vector<int32_t>;

TEST_CASE("intersection over union") {
  const Box unit{0, 0, 1, 1};
  CHECK(intersection_over_union(unit, unit) == 1);
  CHECK(intersection_over_union(unit, {0, 0.5f, 1, 1.5f}) == doctest::Approx(1. / 3));
  CHECK(intersection_over_union(unit, {0, 1, 1, 2}) == 0);           // side by side
  CHECK(intersection_over_union(unit, {0.2f, 0.2f, 0.2f, 1}) == 0);  // no area
}

TEST_CASE("of overlapping boxes the best stays, best first") {
  const std::vector<Box> boxes = {{0, 0, 1, 1}, {0, 0, 1, 1.1f}, {5, 5, 6, 6}, {0, 0.5f, 1, 1.5f}};
  CHECK(suppressed({0.f, 0.5f, 10}, boxes, {0.5f, 0.9f, 0.7f, 0.1f}) == Kept{1, 2, 3});
  CHECK(suppressed({0.f, 0.2f, 10}, boxes, {0.5f, 0.9f, 0.7f, 0.1f}) == Kept{1, 2});
  CHECK(suppressed({0.f, 0.5f, 1}, boxes, {0.5f, 0.9f, 0.7f, 0.1f}) == Kept{1});
  // The score that a box must reach is enough.
  CHECK(suppressed({0.7f, 0.5f, 10}, boxes, {0.5f, 0.9f, 0.7f, 0.1f}) == Kept{1, 2});
}

TEST_CASE("a box that only a suppressed one overlaps stays") {
  const std::vector<Box> chain = {{0, 0, 1, 1}, {0, 0.4f, 1, 1.4f}, {0, 0.8f, 1, 1.8f}};
  CHECK(suppressed({0.f, 0.3f, 10}, chain, {0.9f, 0.8f, 0.7f}) == Kept{0, 2});
}

TEST_CASE("equal scores keep the order of the boxes, and a NaN is no score") {
  const std::vector<Box> boxes = {{0, 0, 1, 1}, {2, 2, 3, 3}, {4, 4, 5, 5}};
  CHECK(suppressed({0.f, 0.5f, 10}, boxes, {0.5f, 0.5f, 0.5f}) == Kept{0, 1, 2});
  CHECK(suppressed({0.f, 0.5f, 10}, boxes, {0.5f, NAN, 0.6f}) == Kept{2, 0});
  CHECK(suppressed({0.f, 0.5f, 10}, {}, {}).empty());
}

}  // namespace
}  // namespace edge
