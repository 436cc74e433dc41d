#include "fuzz/mutate.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

namespace {

// What lies at a place of the file.
enum class Kind { kScalar, kOffset, kLength, kVtableEntry, kVtableOffset };

struct Site {
  Kind kind;
  size_t at, width;
};

constexpr size_t kMostSites = 1 << 16;  // large models: the rest is found with another seed

class Walk {
 public:
  Walk(const uint8_t* data, size_t size, std::mt19937* random)
      : data_(data), size_(size), random_(*random) {}

  std::vector<Site> sites;
  std::vector<size_t> targets;  // of offsets

  void run() {
    if (size_ < 8) return;
    offset(0);
    while (!todo_.empty() && sites.size() < kMostSites) {
      const size_t at = todo_.back();
      todo_.pop_back();
      if (is_table(at)) {
        table(at);
      } else {
        vector(at);
      }
    }
  }

 private:
  template <typename T>
  T load(size_t at) const {
    T value;
    std::memcpy(&value, data_ + at, sizeof value);
    return value;
  }
  bool inside(size_t at, size_t bytes) const { return at <= size_ && bytes <= size_ - at; }

  // An offset that leads somewhere is followed.
  bool offset(size_t at) {
    if (!inside(at, 4) || at % 4) return false;
    const size_t by = load<uint32_t>(at);
    if (by < 4 || !inside(at + by, 4) || (at + by) % 4) return false;
    sites.push_back({Kind::kOffset, at, 4});
    if (seen_.insert(at + by).second) {
      targets.push_back(at + by);
      todo_.push_back(at + by);
    }
    return true;
  }

  bool is_table(size_t at) const {
    if (!inside(at, 4)) return false;
    const int64_t vtable = static_cast<int64_t>(at) - load<int32_t>(at);
    if (vtable < 4 || !inside(static_cast<size_t>(vtable), 4)) return false;
    const size_t v = static_cast<size_t>(vtable);
    const size_t vtable_size = load<uint16_t>(v), table_size = load<uint16_t>(v + 2);
    return vtable_size >= 4 && vtable_size % 2 == 0 && vtable_size < 256 && table_size >= 4 &&
           inside(v, vtable_size) && inside(at, table_size);
  }

  void table(size_t at) {
    const size_t v = at - static_cast<size_t>(int64_t{load<int32_t>(at)});
    const size_t vtable_size = load<uint16_t>(v), table_size = load<uint16_t>(v + 2);
    sites.push_back({Kind::kVtableOffset, at, 4});
    std::vector<size_t> fields;
    for (size_t entry = 0; entry < vtable_size; entry += 2) {
      sites.push_back({Kind::kVtableEntry, v + entry, 2});
      const size_t field = load<uint16_t>(v + entry);
      if (entry >= 4 && field >= 4 && field < table_size) fields.push_back(field);
    }
    std::sort(fields.begin(), fields.end());
    for (size_t i = 0; i < fields.size(); ++i) {
      const size_t room = (i + 1 < fields.size() ? fields[i + 1] : table_size) - fields[i];
      const size_t width = room >= 8 && fields[i] % 8 == 0 ? 8 : room >= 4 ? 4 : room >= 2 ? 2 : 1;
      if (room < 4 || !offset(at + fields[i])) {
        sites.push_back({Kind::kScalar, at + fields[i], width});
      }
    }
  }

  void vector(size_t at) {
    const size_t length = load<uint32_t>(at);
    sites.push_back({Kind::kLength, at, 4});
    if (length == 0 || !inside(at + 4, length)) return;
    const bool words = inside(at + 4, length * 4);
    // Elements of long vectors are weights: a few of them will do.
    const size_t count = std::min<size_t>(length, 64);
    for (size_t k = 0; k < count; ++k) {
      const size_t i = length > count ? random_() % length : k;
      if (words && offset(at + 4 + 4 * i)) continue;
      const size_t width = words ? 4 : 1;
      sites.push_back({Kind::kScalar, at + 4 + width * i, width});
    }
  }

  const uint8_t* data_;
  size_t size_;
  std::mt19937& random_;
  std::set<size_t> seen_;
  std::vector<size_t> todo_;
};

uint64_t extreme(std::mt19937& random) {
  static constexpr int64_t kValues[] = {-(int64_t{1} << 31),
                                        -32769,
                                        -129,
                                        -2,
                                        -1,
                                        0,
                                        1,
                                        2,
                                        3,
                                        4,
                                        7,
                                        8,
                                        9,
                                        16,
                                        127,
                                        128,
                                        255,
                                        256,
                                        32767,
                                        32768,
                                        65535,
                                        65537,
                                        (1 << 24) + 1,
                                        1 << 30,
                                        INT32_MAX,
                                        INT64_MAX,
                                        0x7F800000,
                                        0x7FC00000,
                                        0x00000001,
                                        0x7F7FFFFF};
  return static_cast<uint64_t>(kValues[random() % (sizeof kValues / sizeof *kValues)]);
}

uint64_t changed(const Walk& walk, const Site& site, uint64_t old, size_t size,
                 std::mt19937& random) {
  switch (site.kind) {
    case Kind::kOffset:
      switch (random() % 4) {
        case 0:  // to another table or vector
          return walk.targets[random() % walk.targets.size()] - site.at;
        case 1:
          return old + 4 * (random() % 9) - 16;
        case 2:
          return random() % size;
        default:
          return extreme(random);
      }
    case Kind::kLength:
      return random() % 2 ? old + random() % 5 - 2 : extreme(random);
    case Kind::kVtableEntry:
      return random() % 3 == 0 ? 0 : random() % 2 ? old + 4 * (random() % 5) - 8 : random() % 64;
    case Kind::kVtableOffset: {
      const Site& other = walk.sites[random() % walk.sites.size()];
      return random() % 2 ? site.at - other.at : old + 2 * (random() % 9) - 8;
    }
    case Kind::kScalar:
      break;
  }
  switch (random() % 4) {
    case 0:
      return old ^ uint64_t{1} << random() % (8 * site.width);
    case 1:
      return old + random() % 5 - 2;
    case 2:
      return random() % 300;
    default:
      return extreme(random);
  }
}

}  // namespace

extern "C" size_t edge_mutate(uint8_t* data, size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Walk walk(data, size, &random);
  walk.run();
  if (walk.sites.empty()) return 0;
  for (uint32_t n = 1 + random() % 3; n > 0; --n) {
    const Site& site = walk.sites[random() % walk.sites.size()];
    uint64_t value = 0;
    std::memcpy(&value, data + site.at, site.width);  // little-endian, as the file is
    value = changed(walk, site, value, size, random);
    std::memcpy(data + site.at, &value, site.width);
  }
  return size;
}
