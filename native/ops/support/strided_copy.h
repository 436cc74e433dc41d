// Moves elements from one array to another, each with strides of its own: what slicing,
// transposing, joining, splitting, padding, tiling and broadcasting have in common.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"
#include "graph/types.h"

namespace edge {

struct CopyAxis {
  int64_t count = 1;
  int64_t in = 0, out = 0;  // bytes from one item to the next; `in` may be negative or 0
};

//   out[out_offset + sum_a i_a * out_a] = in[in_offset + sum_a i_a * in_a], 0 <= i_a < count_a
//
// for items of `unit` bytes. No two items may have one place in `out`, which overlaps `in` nowhere.
class StridedCopy {
 public:
  static constexpr int kMaxAxes = 2 * kMaxRank;

  explicit StridedCopy(size_t unit = 0) : unit_(unit) {}
  // Axes are added from the outermost inwards.
  void add(CopyAxis axis);
  void set_offsets(int64_t in, int64_t out);
  // The same copy with what lies side by side merged; to be called after the last axis.
  StridedCopy simplified() const;

  // Bytes that are written.
  int64_t bytes() const;
  void run(const uint8_t* in, uint8_t* out) const;
  // Large copies are divided among the pool's threads.
  void run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const;

 private:
  size_t unit_;
  int rank_ = 0;
  std::array<CopyAxis, kMaxAxes> axes_{};
  int64_t in_offset_ = 0, out_offset_ = 0;
};

// Bytes from one element to the next along each axis of a dense array; all 0 for an empty one.
std::array<int64_t, kMaxRank> byte_strides(const Shape& shape, size_t element);

}  // namespace edge
