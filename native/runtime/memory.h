// Places tensors in one arena by their lifetimes.
#pragma once

#include <cstddef>
#include <vector>

namespace edge {

struct Lifetime {
  size_t bytes = 0;
  int first = 0, last = 0;  // steps, both inclusive
  size_t offset = 0;        // result
};

// Sets the offsets so that no two that live at once overlap, and returns the arena's bytes,
// SIZE_MAX where they are more than can be counted. Largest first, each into the lowest gap that
// fits ("greedy by size", Pisarchyk and Lee, 2020).
size_t plan_memory(std::vector<Lifetime>* lifetimes);

}  // namespace edge
