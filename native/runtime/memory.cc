#include "runtime/memory.h"

#include <algorithm>
#include <numeric>

#include "base/arena.h"

namespace edge {

size_t plan_memory(std::vector<Lifetime>* lifetimes) {
  std::vector<Lifetime>& all = *lifetimes;
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return all[a].bytes > all[b].bytes; });
  std::vector<size_t> placed;  // by offset
  size_t total = 0;
  for (size_t i : order) {
    Lifetime& item = all[i];
    const size_t need = align_up(item.bytes);
    size_t offset = 0;
    for (size_t j : placed) {
      const Lifetime& other = all[j];
      if (other.last < item.first || item.last < other.first) continue;
      if ((Bytes(offset) + need).count() <= other.offset) break;
      offset = std::max(offset, (Bytes(other.offset) + align_up(other.bytes)).count());
    }
    item.offset = offset;
    total = std::max(total, (Bytes(offset) + need).count());
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](size_t value, size_t j) { return value < all[j].offset; }),
                  i);
  }
  return total;
}

}  // namespace edge
