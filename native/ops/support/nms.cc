#include "ops/support/nms.h"

#include <algorithm>

namespace edge {

float intersection_over_union(const Box& a, const Box& b) {
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin);
  const float area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
  const float both = std::max(height, 0.f) * std::max(width, 0.f);
  return both / (area_a + area_b - both);
}

int32_t suppress(const Suppression& rule, const std::function<Box(int32_t)>& box,
                 const float* scores, int32_t count, int32_t* order, int32_t* selected) {
  int32_t* end = order;
  for (int32_t i = 0; i < count; ++i) {
    if (scores[i] >= rule.least_score) *end++ = i;  // a NaN is not
  }
  // A heap, as most often a few of many boxes are looked at.
  const auto worse = [scores](int32_t a, int32_t b) {
    return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
  };
  std::make_heap(order, end, worse);
  int32_t kept = 0;
  for (; order < end && kept < rule.limit; --end) {
    std::pop_heap(order, end, worse);
    const Box next = box(end[-1]);
    const bool stands_alone = std::none_of(selected, selected + kept, [&](int32_t better) {
      return intersection_over_union(box(better), next) > rule.most_overlap;
    });
    if (stands_alone) selected[kept++] = end[-1];
  }
  return kept;
}

}  // namespace edge
