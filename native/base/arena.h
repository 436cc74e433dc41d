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

// Sums and products of sizes that stay at SIZE_MAX, which no Arena has, where they do not fit: on
// 32 bits a model can ask for more than can be counted.
class Bytes {
 public:
  constexpr Bytes(size_t n) : n_(n) {}  // NOLINT: implicit on purpose
  constexpr size_t count() const { return n_; }
  friend constexpr Bytes operator+(Bytes a, Bytes b) {
    size_t sum = 0;
    return __builtin_add_overflow(a.n_, b.n_, &sum) ? SIZE_MAX : sum;
  }
  friend constexpr Bytes operator*(Bytes a, Bytes b) {
    size_t product = 0;
    return __builtin_mul_overflow(a.n_, b.n_, &product) ? SIZE_MAX : product;
  }

 private:
  size_t n_;
};

constexpr size_t align_up(Bytes n) {
  const size_t up = (n + (kAlignment - 1)).count();
  return up == SIZE_MAX ? up : up / kAlignment * kAlignment;
}

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
