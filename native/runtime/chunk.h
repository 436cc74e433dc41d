// Memory for values whose size is known only while running.
#pragma once

#include <memory>
#include <vector>

#include "base/arena.h"
#include "runtime/limits.h"

namespace edge {

class Chunk {
 public:
  // Of bytes that the budget has counted already.
  Chunk(size_t bytes, std::shared_ptr<Budget> budget)
      : arena_(bytes), counted_(bytes), budget_(std::move(budget)) {}
  ~Chunk() { budget_->give(counted_); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  uint8_t* data() const { return arena_.data(); }
  size_t size() const { return arena_.size(); }

 private:
  Arena arena_;
  size_t counted_;
  std::shared_ptr<Budget> budget_;
};

// Chunks that go from value to value, so that runs alike allocate nothing.
class Chunks {
 public:
  explicit Chunks(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  // At least so many bytes.
  Result<std::shared_ptr<Chunk>> take(size_t bytes);
  // For others to take, unless somebody still holds it.
  void give(std::shared_ptr<const Chunk> chunk);

 private:
  std::shared_ptr<Budget> budget_;
  std::vector<std::shared_ptr<Chunk>> free_;
};

}  // namespace edge
