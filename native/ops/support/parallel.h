// Cutting work among the threads of a session.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/thread_pool.h"

namespace edge {

// Elements below which waking a thread costs more than it brings.
constexpr size_t kChunk = 16384;

// Calls f(begin, end) on consecutive pieces of [0, n). What f does to an element must not depend on
// where the pieces end.
template <typename F>
void for_chunks(ThreadPool& pool, size_t n, const F& f) {
  const size_t pieces = (n + kChunk - 1) / kChunk;
  pool.run(pieces, [&](size_t i, int) { f(i * kChunk, std::min(n, (i + 1) * kChunk)); });
}

// Cuts `items` into at most `most` even chunks of at least `least` items (the last may be shorter).
struct Chunks {
  size_t size, count;
};
inline Chunks cut(size_t items, size_t least, size_t most) {
  if (items == 0) return {1, 0};
  size_t size = (items + most - 1) / (most ? most : 1);
  if (size < least) size = least;
  if (size > items) size = items;
  return {size, (items + size - 1) / size};
}

}  // namespace edge
