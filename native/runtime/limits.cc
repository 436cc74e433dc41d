#include "runtime/limits.h"

#include <unistd.h>

#include <algorithm>

namespace edge {
namespace {

size_t machine_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return SIZE_MAX;
  const uint64_t bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page);
  return static_cast<size_t>(std::min<uint64_t>(bytes, SIZE_MAX));
}

}  // namespace

Status beyond(const char* name, double limit, const std::string& what) {
  return {
      Code::kResource,
      format("%s, but Limits.%s is %.15g: to allow more, load the model with limits=Limits(%s=...)",
             what.c_str(), name, limit, name)};
}

Budget::Budget(const Limits& limits)
    : limit_(limits.memory_bytes ? limits.memory_bytes : machine_bytes()) {}

Status Budget::take(size_t bytes) {
  if (!allows(bytes)) {
    return beyond("memory_bytes", static_cast<double>(limit_),
                  format("%zu bytes of tensors are needed beside %zu", bytes, used_.load()));
  }
  used_ += bytes;
  return {};
}

Deadline::Deadline(const Limits& limits) : seconds_(limits.seconds) {
  constexpr double kLongest = 1e9;
  if (seconds_ <= 0) return;
  end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(std::min(seconds_, kLongest)));
}

Status Deadline::check() const {
  if (seconds_ <= 0 || Clock::now() < end_) return {};
  return beyond("seconds", seconds_, "the run takes longer");
}

}  // namespace edge
