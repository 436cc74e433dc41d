// Bounds-checked access to a flatbuffer that nobody has verified.
// Format: the FlatBuffers internals page ("flatbuffers_internals"): little-endian scalars, tables
// whose vtable gives each field's offset, vectors with a 32-bit length, all offsets relative.
//
// Errors stick: the first one is kept in the Buffer, every later access gives defaults, and the
// caller asks once at the end. Each access checks its own bounds, so nothing needs to be verified
// before, and no cycle of offsets can loop: the reader goes down a schema of fixed depth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/span.h"
#include "base/status.h"

namespace edge {

class Buffer {
 public:
  explicit Buffer(Span<const uint8_t> bytes) : bytes_(bytes) {}
  const Status& status() const { return status_; }
  Span<const uint8_t> bytes() const { return bytes_; }

  void fail(size_t position, const char* what) {
    if (status_.ok()) {
      status_ = invalid_model(format("byte %zu of %zu: %s", position, bytes_.size(), what));
    }
  }
  // True when [position, position + size) lies inside and position suits the alignment. Beyond 4
  // bytes writers of real files break the rule, and load() does not need it.
  bool check(size_t position, size_t size, size_t alignment, const char* what) {
    if (!status_.ok()) return false;
    if (position > bytes_.size() || size > bytes_.size() - position) {
      fail(position, (std::string(what) + " reaches past the end of the file").c_str());
      return false;
    }
    if (position % (alignment < 4 ? alignment : 4)) {
      fail(position, (std::string(what) + " is misaligned").c_str());
      return false;
    }
    return true;
  }
  template <typename T>
  T load(size_t position) const {  // after check()
    T value;
    std::memcpy(&value, bytes_.data() + position, sizeof value);
    return value;
  }
  // Follows the 32-bit offset that is stored at `position`; 0 on error.
  size_t follow(size_t position, const char* what) {
    if (!check(position, 4, 4, what)) return 0;
    const size_t offset = load<uint32_t>(position);
    if (offset == 0 || offset > bytes_.size() - position) {
      fail(position,
           (std::string("offset of ") + what + " reaches past the end of the file").c_str());
      return 0;
    }
    return position + offset;
  }

 private:
  Span<const uint8_t> bytes_;
  Status status_;
};

// A vector of scalars.
template <typename T>
class Vector {
 public:
  Vector() = default;
  Vector(const Buffer* buffer, size_t start, size_t size)
      : buffer_(buffer), start_(start), size_(size) {}
  size_t size() const { return size_; }
  T operator[](size_t i) const { return buffer_->load<T>(start_ + i * sizeof(T)); }
  Span<const uint8_t> bytes() const {
    if (!buffer_) return {};
    return {buffer_->bytes().data() + start_, size_ * sizeof(T)};
  }

 private:
  const Buffer* buffer_ = nullptr;
  size_t start_ = 0, size_ = 0;
};

class Tables;

// A table; a default-constructed one is "absent" and gives every field's default.
class Table {
 public:
  Table() = default;
  Table(Buffer* buffer, size_t position);

  bool present() const { return buffer_ != nullptr; }
  size_t position() const { return position_; }

  template <typename T>
  T scalar(int slot, T value) const {
    const size_t at = field(slot, sizeof(T));
    return at ? buffer_->load<T>(at) : value;
  }
  Table table(int slot) const;
  std::string string(int slot) const;
  Tables tables(int slot) const;
  template <typename T>
  Vector<T> vector(int slot) const {
    size_t size = 0;
    const size_t start = vector_start(slot, sizeof(T), &size);
    return start ? Vector<T>(buffer_, start, size) : Vector<T>();
  }
  bool has(int slot) const { return field(slot, 1) != 0; }

 private:
  friend class Tables;
  // Position of a field of `size` bytes; 0 where the table does not have it or on error.
  size_t field(int slot, size_t size) const;
  size_t vector_start(int slot, size_t element, size_t* count) const;

  Buffer* buffer_ = nullptr;
  size_t position_ = 0, vtable_ = 0;
  uint16_t vtable_size_ = 0, table_size_ = 0;
};

// A vector of tables.
class Tables {
 public:
  Tables() = default;
  Tables(Buffer* buffer, size_t start, size_t size) : buffer_(buffer), start_(start), size_(size) {}
  size_t size() const { return size_; }
  Table operator[](size_t i) const;

 private:
  Buffer* buffer_ = nullptr;
  size_t start_ = 0, size_ = 0;
};

}  // namespace edge
