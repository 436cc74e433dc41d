// Tensors of strings: int32 count, int32 offsets[count + 1] from the first byte on, then the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "ops/op.h"

namespace edge {

// Reads such bytes, which are verified.
class Strings {
 public:
  explicit Strings(const uint8_t* data) : data_(data) {}
  int32_t size() const { return number(0); }
  std::string_view operator[](int64_t i) const {
    const int32_t begin = number(i + 1), end = number(i + 2);
    return {reinterpret_cast<const char*>(data_) + begin, static_cast<size_t>(end - begin)};
  }

 private:
  int32_t number(int64_t i) const {
    int32_t n;
    std::memcpy(&n, data_ + 4 * i, 4);
    return n;
  }
  const uint8_t* data_;
};

// The most that one tensor holds, with no byte in any of them.
constexpr int64_t kMostStrings = INT32_MAX / 4 - 2;

// Writes output i: `count` strings, which `get` gives twice, from number 0 on.
template <typename Get>
void write_strings(const EvalContext& run, size_t i, int64_t count, const Get& get) {
  int64_t bytes = count > kMostStrings ? int64_t{INT32_MAX} + 1 : 4 * (count + 2);
  for (int64_t k = 0; k < count && bytes <= INT32_MAX; ++k) {
    bytes += static_cast<int64_t>(get(k).size());
  }
  if (bytes > INT32_MAX) return run.fail(unsupported("strings of more than 2^31-1 bytes"));
  uint8_t* out = run.room(i, static_cast<size_t>(bytes));
  if (!out) return run.fail(Status(Code::kResource, "no memory for strings"));
  const auto put = [out](int64_t place, int64_t number) {
    const int32_t n = static_cast<int32_t>(number);
    std::memcpy(out + 4 * place, &n, sizeof n);
  };
  int64_t at = 4 * (count + 2);
  put(0, count);
  put(1, at);
  for (int64_t k = 0; k < count; ++k) {
    const std::string_view s = get(k);
    if (!s.empty()) std::memcpy(out + at, s.data(), s.size());
    at += static_cast<int64_t>(s.size());
    put(k + 2, at);
  }
}

}  // namespace edge
