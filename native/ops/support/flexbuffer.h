// Reads the options of custom ops: one FlexBuffers map of scalars and vectors of them, without
// trusting a byte. Format: the FlexBuffers section of the FlatBuffers internals page
// ("flatbuffers_internals").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/span.h"
#include "base/status.h"

namespace edge {

class FlexMap {
 public:
  // kInvalidModel where the bytes are no map, or one that reaches out of them. They must outlive
  // it.
  static Result<FlexMap> parse(Span<const uint8_t> bytes);

  size_t size() const { return size_; }
  // The integer, boolean or floating-point number under `key`; nothing where there is none or null.
  Result<std::optional<double>> number(const char* key) const;
  // The numbers of the vector under `key`, cut to whole ones; none where there is no such key.
  Result<std::vector<int64_t>> integers(const char* key) const;

 private:
  // The little-endian unsigned integer of 1, 2, 4 or 8 bytes at `position`.
  Result<uint64_t> load(size_t position, size_t width) const;
  // Where the offset that is stored at `position` points to: backwards, as all of them do.
  Result<size_t> follow(size_t position, size_t width) const;
  Result<bool> key_equals(size_t index, const char* key) const;
  // Index of `key`, or size().
  Result<size_t> find(const char* key) const;
  // A number of the packed type (type << 2 | log2(width)) in a slot of `width` bytes.
  Result<double> element(size_t slot, size_t width, int packed) const;
  Result<double> scalar(size_t position, size_t width, int type) const;

  Span<const uint8_t> bytes_;
  size_t width_ = 0, key_width_ = 0;  // bytes of each slot of the values and of the keys
  size_t values_ = 0, keys_ = 0;      // positions of their first slots
  size_t size_ = 0;
};

}  // namespace edge
