#include "base/arena.h"

#include <cstring>

namespace edge {

Arena::Arena(size_t bytes) {
  if (bytes > SIZE_MAX - kOverread - kAlignment) return;
  const size_t size = align_up(bytes + kOverread);
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, size)));
  if (!data_) return;
  // Zeroed, so that a result never depends on what the memory held before.
  std::memset(data_.get(), 0, size);
  size_ = bytes;
}

}  // namespace edge
