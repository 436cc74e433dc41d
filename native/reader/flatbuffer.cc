#include "reader/flatbuffer.h"

namespace edge {

Table::Table(Buffer* buffer, size_t position) {
  if (!buffer->check(position, 4, 4, "table")) return;
  // The vtable lies at a signed distance before (or behind) the table.
  const int64_t vtable = static_cast<int64_t>(position) - buffer->load<int32_t>(position);
  if (vtable < 0 || static_cast<uint64_t>(vtable) > buffer->bytes().size()) {
    buffer->fail(position, "table's vtable lies outside of the file");
    return;
  }
  const size_t at = static_cast<size_t>(vtable);
  if (!buffer->check(at, 4, 2, "vtable")) return;
  const uint16_t vtable_size = buffer->load<uint16_t>(at);
  const uint16_t table_size = buffer->load<uint16_t>(at + 2);
  if (vtable_size < 4 || vtable_size % 2 || !buffer->check(at, vtable_size, 2, "vtable")) {
    buffer->fail(at, "vtable has an impossible size");
    return;
  }
  if (table_size < 4 || !buffer->check(position, table_size, 4, "table")) {
    buffer->fail(position, "table has an impossible size");
    return;
  }
  buffer_ = buffer;
  position_ = position;
  vtable_ = at;
  vtable_size_ = vtable_size;
  table_size_ = table_size;
}

size_t Table::field(int slot, size_t size) const {
  const size_t entry = 4 + 2 * static_cast<size_t>(slot);
  if (!buffer_ || entry + 2 > vtable_size_ || !buffer_->status().ok()) return 0;
  const size_t offset = buffer_->load<uint16_t>(vtable_ + entry);
  if (offset == 0) return 0;
  if (offset < 4 || offset + size > table_size_) {
    buffer_->fail(vtable_ + entry, "field lies outside of its table");
    return 0;
  }
  return buffer_->check(position_ + offset, size, size, "field") ? position_ + offset : 0;
}

Table Table::table(int slot) const {
  const size_t at = field(slot, 4);
  const size_t target = at ? buffer_->follow(at, "table") : 0;
  return target ? Table(buffer_, target) : Table();
}

size_t Table::vector_start(int slot, size_t element, size_t* count) const {
  const size_t at = field(slot, 4);
  const size_t target = at ? buffer_->follow(at, "vector") : 0;
  if (!target || !buffer_->check(target, 4, 4, "vector")) return 0;
  const size_t size = buffer_->load<uint32_t>(target);
  // size < 2^32 and element <= 8: the product cannot overflow size_t on 64 bits; on 32 bits the
  // division keeps it from doing so.
  if (size > buffer_->bytes().size() / element ||
      !buffer_->check(target + 4, size * element, element, "vector")) {
    buffer_->fail(target, "vector is longer than the file or misaligned");
    return 0;
  }
  *count = size;
  return target + 4;
}

std::string Table::string(int slot) const {
  const Span<const uint8_t> bytes = vector<uint8_t>(slot).bytes();
  return bytes.empty() ? std::string()
                       : std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Tables Table::tables(int slot) const {
  size_t size = 0;
  const size_t start = vector_start(slot, 4, &size);
  return start ? Tables(buffer_, start, size) : Tables();
}

Table Tables::operator[](size_t i) const {
  const size_t target = buffer_->follow(start_ + 4 * i, "table");
  return target ? Table(buffer_, target) : Table();
}

}  // namespace edge
