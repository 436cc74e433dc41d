// Chains: neighbouring convolutions that run together, a few rows at a time. What lies between two
// of them is never whole: each thread keeps the rows that it still needs in its scratch memory,
// where they stay in the cache.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/layout.h"
#include "runtime/step.h"

namespace edge {

// Whether the second step can run row by row right behind the first.
bool can_follow(const Graph& graph, const Step& first, const Step& second);

// Rows of the output of `count` such steps whose work is done twice where two threads meet.
int overlap(const Step* steps, size_t count);

// How many rows of the last step's output are computed at a time, and what that takes.
struct Tiling {
  int height = 0;
  size_t buffers = 0;  // bytes of the rows between the steps, for each thread
  double effort = 0;   // relative to that of the steps one by one, by an estimate
};
// The best height whose buffers take at most `tile_bytes`, or 1.
Tiling tile(const Graph& graph, const Step* steps, size_t count, size_t tile_bytes);

// The step that runs `parts` in tiles of so many rows.
Step make_chain(const Graph& graph, std::vector<Step> parts, int height);

// Makes chains of steps where that saves memory or where values are too large for the cache.
Status join_chains(const Graph& graph, size_t tile_bytes, std::vector<Step>* steps);

// What steps from `first` to `last` do to values, as one.
Access access(const Step& first, const Step& last);
std::vector<Access> accesses(const std::vector<Step>& steps);

}  // namespace edge
