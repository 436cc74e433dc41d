#include "runtime/chunk.h"

#include <algorithm>

namespace edge {
namespace {

// A chunk may be so many times as large as what it is taken for, or any size up to kSmall.
constexpr size_t kMostTimes = 4;
constexpr size_t kSmall = 4096;

}  // namespace

Result<std::shared_ptr<Chunk>> Chunks::take(size_t bytes) {
  const size_t most = std::max(kSmall, (Bytes(bytes) * kMostTimes).count());
  auto best = free_.end();
  for (auto b = free_.begin(); b != free_.end(); ++b) {
    const size_t size = (*b)->size();
    if (size >= bytes && size <= most && (best == free_.end() || size < (*best)->size())) best = b;
  }
  if (best != free_.end()) {
    std::shared_ptr<Chunk> found = std::move(*best);
    free_.erase(best);
    return found;
  }
  // Room to grow: values often do, from run to run.
  size_t wanted = align_up(Bytes(bytes) + bytes / 4);
  if (!budget_->allows(wanted)) {
    free_.clear();
    wanted = bytes;
  }
  EDGE_TRY(budget_->take(wanted));
  auto made = std::make_shared<Chunk>(wanted, budget_);
  if (!made->data()) {
    return Status(Code::kResource, format("no memory for a value of %zu bytes", bytes));
  }
  return made;
}

void Chunks::give(std::shared_ptr<const Chunk> chunk) {
  if (chunk && chunk.use_count() == 1) {
    free_.push_back(std::const_pointer_cast<Chunk>(std::move(chunk)));
  }
}

}  // namespace edge
