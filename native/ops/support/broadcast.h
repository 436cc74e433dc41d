// Two operands of different shapes, laid against each other by numpy's rules: shapes are aligned at
// their last axis, and an axis that is missing or of extent 1 is repeated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "graph/types.h"
#include "ops/support/parallel.h"

namespace edge {

// The shape of the result, or kInvalidModel where the two do not fit.
Result<Shape> broadcast_shape(const Shape& a, const Shape& b);

// The result in as few and as long runs as there can be. Within a run each operand either advances
// with the result or repeats one element, and not both repeat unless the run is one element long.
struct Broadcast {
  struct Axis {
    size_t extent, a, b;  // elements from one index to the next in each operand; 0: repeated
  };
  size_t count = 0;  // elements of the result
  size_t run = 1;    // elements in a run
  bool a_repeats = false, b_repeats = false;
  int rank = 0;                       // of the axes around the runs
  std::array<Axis, kMaxRank> axes{};  // innermost first
};

// `a` and `b` must have passed broadcast_shape().
Broadcast make_broadcast(const Shape& a, const Shape& b);

// n elements of the result from element `out` on, and where their operands start.
struct Run {
  size_t n, a, b, out;
};

// Calls f(const Run&) until each element of the result was in one run; on several threads where
// there are many elements.
template <typename F>
void for_runs(ThreadPool& pool, const Broadcast& s, const F& f) {
  for_chunks(pool, s.count, [&](size_t begin, size_t end) {
    std::array<size_t, kMaxRank> index{};
    size_t a = 0, b = 0, left = begin / s.run;
    for (int i = 0; i < s.rank; ++i) {
      const Broadcast::Axis& axis = s.axes[static_cast<size_t>(i)];
      const size_t at = left % axis.extent;
      left /= axis.extent;
      index[static_cast<size_t>(i)] = at;
      a += at * axis.a;
      b += at * axis.b;
    }
    size_t skip = begin % s.run;
    while (begin < end) {
      const size_t n = std::min(s.run - skip, end - begin);
      f(Run{n, a + (s.a_repeats ? 0 : skip), b + (s.b_repeats ? 0 : skip), begin});
      begin += n;
      skip = 0;
      for (int i = 0; i < s.rank; ++i) {
        const Broadcast::Axis& axis = s.axes[static_cast<size_t>(i)];
        a += axis.a;
        b += axis.b;
        if (++index[static_cast<size_t>(i)] < axis.extent) break;
        index[static_cast<size_t>(i)] = 0;
        a -= axis.extent * axis.a;
        b -= axis.extent * axis.b;
      }
    }
  });
}

}  // namespace edge
