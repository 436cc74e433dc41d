#include "ops/support/poses.h"

#include <algorithm>
#include <cmath>

namespace edge {
namespace {

constexpr int kRefinements = 5;

// The skeleton, away from the nose. The offsets along an edge's two directions lie in the channels
// [towards y][towards x][back y][back x], kEdges each.
constexpr int8_t kSkeleton[kEdges][2] = {
    {0, 1},   {1, 3},   {0, 2}, {2, 4}, {0, 5},  {5, 7},  {7, 9},   {5, 11},
    {11, 13}, {13, 15}, {0, 6}, {6, 8}, {8, 10}, {6, 12}, {12, 14}, {14, 16},
};

float clamp(float v, float high) { return v > 0 ? std::min(v, high) : 0.f; }  // NaN: 0

float sigmoid(float x) { return 1.f / (1.f + std::exp(-x)); }

float distance2(Point a, Point b) {
  const float dy = b.y - a.y, dx = b.x - a.x;
  return dy * dy + dx * dx;
}

// The order of a heap with the best on top. All comparisons with NaN are false, which a heap bears.
bool worse(const Candidate& a, const Candidate& b) { return a.score < b.score; }

// Indices of the largest first; NaN counts as the least, since a sort needs an order.
void sort_down(const float* scores, int32_t count, int32_t* order) {
  for (int32_t i = 0; i < count; ++i) order[i] = i;
  const auto key = [&](int32_t i) { return std::isnan(scores[i]) ? -INFINITY : scores[i]; };
  std::sort(order, order + count, [&](int32_t a, int32_t b) { return key(a) > key(b); });
}

bool is_peak(const Field& scores, int32_t y, int32_t x, int keypoint, float score) {
  for (int32_t v = std::max(y - 1, 0); v < std::min(y + 2, scores.rows); ++v) {
    for (int32_t u = std::max(x - 1, 0); u < std::min(x + 2, scores.columns); ++u) {
      if (scores.at(v, u, keypoint) > score) return false;
    }
  }
  return true;
}

// All peaks with at least that log-odds, as a heap.
size_t find_roots(const Field& scores, const Field& shorts, float least, Candidate* roots) {
  size_t count = 0;
  for (int32_t y = 0; y < scores.rows; ++y) {
    for (int32_t x = 0; x < scores.columns; ++x) {
      for (int k = 0; k < kKeypoints; ++k) {
        const float score = scores.at(y, x, k);
        if (!(score >= least) || !is_peak(scores, y, x, k, score)) continue;
        const Point p = shorts.inside(static_cast<float>(y) + shorts.at(y, x, k),
                                      static_cast<float>(x) + shorts.at(y, x, kKeypoints + k));
        roots[count++] = {p, score, k};
        std::push_heap(roots, roots + count, worse);
      }
    }
  }
  return count;
}

// From the root along the skeleton, the likeliest key point next. Scores are log-odds still.
void trace(const Candidate& root, const Field& scores, const Field& shorts, const Field& mids,
           Pose* pose) {
  Candidate heap[2 * kEdges + 1];
  size_t count = 0;
  bool done[kKeypoints] = {};
  const auto push = [&](Point p, int keypoint) {
    heap[count++] = {p, scores.sample(p, keypoint), keypoint};
    std::push_heap(heap, heap + count, worse);
  };
  push(root.point, root.keypoint);
  while (count > 0) {
    std::pop_heap(heap, heap + count, worse);
    const Candidate now = heap[--count];
    if (done[now.keypoint]) continue;
    done[now.keypoint] = true;
    pose->points[now.keypoint] = now.point;
    pose->scores[now.keypoint] = now.score;
    for (int back = 0; back < 2; ++back) {
      for (int e = 0; e < kEdges; ++e) {
        const int next = kSkeleton[e][1 - back];
        if (kSkeleton[e][back] != now.keypoint || done[next]) continue;
        const int channel = 2 * kEdges * back + e;
        Point p = mids.follow(now.point, channel, channel + kEdges);
        for (int i = 0; i < kRefinements; ++i) p = shorts.follow(p, next, kKeypoints + next);
        push(p, next);
      }
    }
  }
}

// The mean of the key points' scores but for those that `skip` says.
template <typename F>
float mean_score(const Pose& pose, const F& skip) {
  int32_t order[kKeypoints];
  sort_down(pose.scores, kKeypoints, order);
  float sum = 0;
  for (int32_t k : order) {
    if (!skip(k)) sum += pose.scores[k];
  }
  return sum / kKeypoints;
}

}  // namespace

Point Field::inside(float y, float x) const {
  return {clamp(y, static_cast<float>(rows) - 1.f), clamp(x, static_cast<float>(columns) - 1.f)};
}

float Field::sample(Point p, int channel) const {
  const int32_t top = static_cast<int32_t>(std::floor(p.y));
  const int32_t bottom = static_cast<int32_t>(std::ceil(p.y));
  const int32_t left = static_cast<int32_t>(std::floor(p.x));
  const int32_t right = static_cast<int32_t>(std::ceil(p.x));
  const float v = p.y - static_cast<float>(top), u = p.x - static_cast<float>(left);
  return (1 - v) * ((1 - u) * at(top, left, channel) + u * at(top, right, channel)) +
         v * ((1 - u) * at(bottom, left, channel) + u * at(bottom, right, channel));
}

Point Field::follow(Point p, int dy, int dx) const {
  return inside(p.y + sample(p, dy), p.x + sample(p, dx));
}

int32_t decode_poses(const PoseOptions& options, const Field& scores, const Field& shorts,
                     const Field& mids, const PoseWork& work) {
  const double odds = 1.0 / (static_cast<double>(options.least_score) + 1e-6) - 1.0;
  const float radius2 = options.radius * options.radius;
  size_t roots = find_roots(scores, shorts, static_cast<float>(-std::log(odds)), work.roots);
  int32_t count = 0;
  while (count < options.max_poses && roots > 0) {
    std::pop_heap(work.roots, work.roots + roots, worse);
    const Candidate root = work.roots[--roots];
    const bool known = std::any_of(work.poses, work.poses + count, [&](const Pose& other) {
      return distance2(root.point, other.points[root.keypoint]) <= radius2;
    });
    if (known) continue;
    Pose& pose = work.poses[count];
    trace(root, scores, shorts, mids, &pose);
    for (float& score : pose.scores) score = sigmoid(score);
    pose.score = mean_score(pose, [](int32_t) { return false; });
    if (pose.score >= options.least_score) work.scores[count++] = pose.score;
  }
  // A key point that lies on that of a better pose does not count.
  sort_down(work.scores, count, work.order);
  for (int32_t i = 0; i < count; ++i) {
    Pose& pose = work.poses[work.order[i]];
    pose.score = mean_score(pose, [&](int32_t k) {
      return std::any_of(work.order, work.order + i, [&](int32_t better) {
        return distance2(pose.points[k], work.poses[better].points[k]) <= radius2;
      });
    });
  }
  for (int32_t i = 0; i < count; ++i) work.scores[i] = work.poses[i].score;
  sort_down(work.scores, count, work.order);
  int32_t good = 0;
  while (good < count && work.scores[work.order[good]] >= options.least_score) ++good;
  return good;
}

}  // namespace edge
