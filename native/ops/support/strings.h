// Tensors of strings: int32 count, int32 offsets[count + 1] from the first byte on, then the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

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

// Writes output i.
Status write_strings(const EvalContext& run, size_t i, const std::vector<std::string_view>& all);

}  // namespace edge
