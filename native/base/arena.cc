#include "base/arena.h"

namespace edge {

Arena::Arena(size_t bytes) {
  if (bytes > SIZE_MAX - kOverread - kAlignment) return;
  // Zeroed, so that a result never depends on what the memory held before. calloc gets large blocks
  // from the system, which zeroes pages when they are touched first and never twice.
  block_.reset(static_cast<uint8_t*>(std::calloc(bytes + kOverread + kAlignment, 1)));
  if (!block_) return;
  const uintptr_t address = reinterpret_cast<uintptr_t>(block_.get());
  data_ = block_.get() + ((kAlignment - address % kAlignment) % kAlignment);
  size_ = bytes;
}

}  // namespace edge
