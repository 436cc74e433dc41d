#include "ops/support/flexbuffer.h"

#include <cstring>
#include <string>

namespace edge {
namespace {

// The types of values that concern us; a type byte is type << 2 | log2(width).
enum Type {
  kNull = 0,
  kInt = 1,
  kUInt = 2,
  kFloat = 3,
  kIndirectInt = 6,
  kIndirectUInt = 7,
  kIndirectFloat = 8,
  kMap = 9,
  kVector = 10,
  kVectorInt = 11,
  kVectorFloat = 13,
  kBool = 26,
};

Status damaged(const char* what) { return invalid_model(std::string("custom options: ") + what); }

bool is_width(uint64_t n) { return n == 1 || n == 2 || n == 4 || n == 8; }

}  // namespace

Result<uint64_t> FlexMap::load(size_t position, size_t width) const {
  if (position > bytes_.size() || width > bytes_.size() - position) {
    return damaged("a value reaches past their end");
  }
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | bytes_[position + i];
  return value;
}

Result<size_t> FlexMap::follow(size_t position, size_t width) const {
  EDGE_ASSIGN(const uint64_t offset, load(position, width));
  if (offset > position) return damaged("an offset reaches before their start");
  return position - static_cast<size_t>(offset);
}

// The file ends with the root's value, its type and its width. A map is a vector of values that is
// preceded by the offset of its keys' vector, the width of that and its own size, and followed by a
// type byte for each value.
Result<FlexMap> FlexMap::parse(Span<const uint8_t> bytes) {
  FlexMap map;
  map.bytes_ = bytes;
  if (bytes.size() < 3) return damaged("there are none");
  const size_t root_width = bytes[bytes.size() - 1];
  const int type = bytes[bytes.size() - 2];
  if (!is_width(root_width) || root_width > bytes.size() - 2 || type >> 2 != kMap) {
    return damaged("they are no map");
  }
  EDGE_ASSIGN(map.values_, map.follow(bytes.size() - 2 - root_width, root_width));
  map.width_ = size_t{1} << (type & 3);
  if (map.values_ < 3 * map.width_) return damaged("the map has no head");
  EDGE_ASSIGN(const uint64_t size, map.load(map.values_ - map.width_, map.width_));
  EDGE_ASSIGN(const uint64_t key_width, map.load(map.values_ - 2 * map.width_, map.width_));
  EDGE_ASSIGN(map.keys_, map.follow(map.values_ - 3 * map.width_, map.width_));
  if (!is_width(key_width)) return damaged("the width of the map's keys is none");
  map.key_width_ = static_cast<size_t>(key_width);
  // Each value has a slot and a type.
  if (size > (bytes.size() - map.values_) / (map.width_ + 1) ||
      size > (bytes.size() - map.keys_) / map.key_width_) {
    return damaged("the map reaches past their end");
  }
  map.size_ = static_cast<size_t>(size);
  return map;
}

Result<bool> FlexMap::key_equals(size_t index, const char* key) const {
  EDGE_ASSIGN(const size_t start, follow(keys_ + index * key_width_, key_width_));
  const size_t length = std::strlen(key) + 1;  // with the zero that ends keys
  return length <= bytes_.size() - start && std::memcmp(bytes_.data() + start, key, length) == 0;
}

Result<double> FlexMap::scalar(size_t position, size_t width, int type) const {
  EDGE_ASSIGN(const uint64_t bits, load(position, width));
  switch (type) {
    case kInt: {
      const int unused = 64 - 8 * static_cast<int>(width);
      return static_cast<double>(static_cast<int64_t>(bits << unused) >> unused);
    }
    case kUInt:
    case kBool:
      return static_cast<double>(bits);
    case kFloat:
      if (width == 4) {
        const uint32_t narrow = static_cast<uint32_t>(bits);
        float value;
        std::memcpy(&value, &narrow, sizeof value);
        return static_cast<double>(value);
      }
      if (width == 8) {
        double value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
      }
      return damaged("a floating-point number of neither 4 nor 8 bytes");
    default:
      return damaged("a value is no number");
  }
}

Result<size_t> FlexMap::find(const char* key) const {
  for (size_t i = 0; i < size_; ++i) {
    EDGE_ASSIGN(const bool found, key_equals(i, key));
    if (found) return i;
  }
  return size_;
}

Result<double> FlexMap::element(size_t slot, size_t width, int packed) const {
  const int type = packed >> 2;
  if (type < kIndirectInt || type > kIndirectFloat) return scalar(slot, width, type);
  EDGE_ASSIGN(const size_t target, follow(slot, width));
  return scalar(target, size_t{1} << (packed & 3), type - kIndirectInt + kInt);
}

Result<std::optional<double>> FlexMap::number(const char* key) const {
  EDGE_ASSIGN(const size_t i, find(key));
  const int packed = i == size_ ? 0 : bytes_[values_ + size_ * width_ + i];
  if (packed >> 2 == kNull) return std::optional<double>();
  const Result<double> value = element(values_ + i * width_, width_, packed);
  if (!value.ok()) return value.status().at(key);
  return std::optional<double>(*value);
}

Result<std::vector<int64_t>> FlexMap::integers(const char* key) const {
  EDGE_ASSIGN(const size_t i, find(key));
  if (i == size_) return std::vector<int64_t>();
  const int packed = bytes_[values_ + size_ * width_ + i];
  const int type = packed >> 2;
  const bool typed = type >= kVectorInt && type <= kVectorFloat;
  if (type != kVector && !typed) return damaged("a value is no vector").at(key);
  const size_t width = size_t{1} << (packed & 3);
  EDGE_ASSIGN(const size_t start, follow(values_ + i * width_, width_));
  if (start < width) return damaged("a vector has no size").at(key);
  EDGE_ASSIGN(const uint64_t count, load(start - width, width));
  // An untyped vector's elements have a type each, behind them.
  if (count > (bytes_.size() - start) / (width + (typed ? 0 : 1))) {
    return damaged("a vector reaches past their end").at(key);
  }
  std::vector<int64_t> values;
  for (size_t k = 0; k < count; ++k) {
    const int each = typed ? (type - kVectorInt + kInt) << 2 : bytes_[start + count * width + k];
    const Result<double> value = element(start + k * width, width, each);
    if (!value.ok()) return value.status().at(key);
    if (!(*value >= -0x1p62 && *value <= 0x1p62)) return damaged("a huge number").at(key);
    values.push_back(static_cast<int64_t>(*value));
  }
  return values;
}

}  // namespace edge
