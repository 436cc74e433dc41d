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
  // After so many elements of the result the operand starts again from its first; 0: never.
  size_t a_period = 0, b_period = 0;
  int rank = 0;                       // of the axes around the runs
  std::array<Axis, kMaxRank> axes{};  // innermost first
};

// `a` and `b` must have passed broadcast_shape().
Broadcast make_broadcast(const Shape& a, const Shape& b);

// n elements of the result from element `out` on, and where their operands start.
struct Run {
  size_t n, a, b, out;
};

// Calls f(const Run&) for the runs of elements [begin, end), in order.
template <typename F>
void for_runs_in(const Broadcast& s, size_t begin, size_t end, const F& f) {
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
}

// The same until each element of the result was in one run; on several threads where there are many
// elements.
template <typename F>
void for_runs(ThreadPool& pool, const Broadcast& s, const F& f) {
  for_chunks(pool, s.count, [&](size_t begin, size_t end) { for_runs_in(s, begin, end, f); });
}

// n elements of the result from element `out` on, and those of the operands; one that repeats is
// one element.
template <typename T>
struct Block {
  size_t n;
  const T *a, *b;
  bool a_repeats, b_repeats;
  size_t out;
};

// As for_runs(), but calls f(const Block<T>&) for many elements at a time where runs are short:
// operands that do not lie as the result does are spread out first.
template <typename T, typename F>
void for_blocks(ThreadPool& pool, const Broadcast& s, const T* a, const T* b, const F& f) {
  constexpr size_t kShort = 64, kBlock = 1024;
  if (s.run >= kShort || s.rank == 0) {
    for_runs(pool, s, [&](const Run& r) {
      f(Block<T>{r.n, a + r.a, b + r.b, s.a_repeats, s.b_repeats, r.out});
    });
    return;
  }
  for_chunks(pool, s.count, [&](size_t begin, size_t end) {
    T room[2][2 * kBlock];
    // A short period is spread out once. at(i) is where elements i .. i + kBlock lie.
    auto at = [&](const T* data, size_t period, T* spread) {
      const bool tiled = period > 0 && period <= kBlock;
      for (size_t i = 0; tiled && i < kBlock + period; ++i) {
        spread[i] = i < period ? data[i] : spread[i - period];
      }
      return [=, &s](size_t i) {
        return period == s.count ? data + i : spread + (tiled ? i % period : 0);
      };
    };
    auto by_runs = [&](size_t period) {
      return period == 0 || (period > kBlock && period < s.count);
    };
    auto copy = [](const T* from, bool repeats, size_t n, T* to) {
      if (repeats) {
        std::fill_n(to, n, *from);
      } else {
        std::copy_n(from, n, to);
      }
    };
    const auto at_a = at(a, s.a_period, room[0]), at_b = at(b, s.b_period, room[1]);
    for (; begin < end; begin += kBlock) {
      const size_t n = std::min(kBlock, end - begin);
      if (by_runs(s.a_period) || by_runs(s.b_period)) {
        for_runs_in(s, begin, begin + n, [&](const Run& r) {
          const size_t to = r.out - begin;
          if (by_runs(s.a_period)) copy(a + r.a, s.a_repeats, r.n, room[0] + to);
          if (by_runs(s.b_period)) copy(b + r.b, s.b_repeats, r.n, room[1] + to);
        });
      }
      f(Block<T>{n, at_a(begin), at_b(begin), false, false, begin});
    }
  });
}

}  // namespace edge
