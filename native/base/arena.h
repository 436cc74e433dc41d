// One aligned block of memory, and the alignment that all tensors and packed weights share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace edge {

// A cache line; at least the widest vector register of every ISA that has kernels here.
constexpr size_t kAlignment = 64;

// The arena has this many bytes of room behind it, so that a kernel may read (never write) past the
// end of an activation. Constants have no such room: what reads them stops at their end.
constexpr size_t kOverread = 64;

constexpr size_t align_up(size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

// An aligned, zeroed block; data() is null when the memory could not be had.
class Arena {
 public:
  Arena() = default;
  explicit Arena(size_t bytes);
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t, Free> block_;
  uint8_t* data_ = nullptr;  // the first aligned byte of the block
  size_t size_ = 0;
};

}  // namespace edge
