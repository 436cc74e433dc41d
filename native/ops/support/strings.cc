#include "ops/support/strings.h"

namespace edge {

Status write_strings(const EvalContext& run, size_t i, const std::vector<std::string_view>& all) {
  size_t bytes = 4 * (all.size() + 2);
  for (std::string_view s : all) bytes += s.size();
  if (bytes > INT32_MAX) return unsupported("strings of more than 2^31-1 bytes");
  uint8_t* out = run.room(i, bytes);
  if (!out) return Status(Code::kResource, "no memory for strings");
  int32_t at = static_cast<int32_t>(4 * (all.size() + 2));
  const int32_t count = static_cast<int32_t>(all.size());
  std::memcpy(out, &count, 4);
  std::memcpy(out + 4, &at, 4);
  for (size_t k = 0; k < all.size(); ++k) {
    if (!all[k].empty()) std::memcpy(out + at, all[k].data(), all[k].size());
    at += static_cast<int32_t>(all[k].size());
    std::memcpy(out + 4 * (k + 2), &at, 4);
  }
  return {};
}

}  // namespace edge
