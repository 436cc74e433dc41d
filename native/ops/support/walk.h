// Several arrays laid along the axes of one shape, each with strides of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "graph/types.h"

namespace edge {

template <size_t kArrays>
struct Walk {
  using Steps = std::array<int64_t, kArrays>;
  struct Axis {
    int64_t count = 1;
    Steps step{};  // elements from one index to the next in each array; 0: repeated
  };
  int rank = 0;  // innermost first
  std::array<Axis, kMaxRank> axes{};
  bool empty = false;

  // Axes are added from the innermost outwards; one that continues the last one is part of it.
  void add(const Axis& axis) {
    empty |= axis.count == 0;
    if (axis.count == 1) return;
    if (rank > 0) {
      Axis& inner = axes[static_cast<size_t>(rank - 1)];
      bool continues = true;
      for (size_t k = 0; k < kArrays; ++k) {
        continues &= axis.step[k] == inner.step[k] * inner.count;
      }
      if (continues) {
        inner.count *= axis.count;
        return;
      }
    }
    axes[static_cast<size_t>(rank++)] = axis;
  }

  // Calls f(n, at, step) for runs of n elements, which start at at[k] in array k and are step[k]
  // apart.
  template <typename F>
  void run(const F& f) const {
    if (empty) return;
    std::array<int64_t, kMaxRank> index{};
    Steps at{};
    const Axis inner = rank > 0 ? axes[0] : Axis{};
    for (;;) {
      f(inner.count, at, inner.step);
      int i = 1;
      for (; i < rank; ++i) {
        const Axis& axis = axes[static_cast<size_t>(i)];
        int64_t& k = index[static_cast<size_t>(i)];
        const bool wraps = ++k == axis.count;
        for (size_t a = 0; a < kArrays; ++a) {
          at[a] += axis.step[a] * (wraps ? 1 - axis.count : 1);
        }
        if (!wraps) break;
        k = 0;
      }
      if (i >= rank) return;
    }
  }
};

}  // namespace edge
