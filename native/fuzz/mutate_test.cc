#include "fuzz/mutate.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

namespace {

// A root table of two fields: the scalar 7 and a vector of two words, and its vtable in front.
std::vector<uint8_t> file() {
  const uint32_t words[] = {16,
                            0,             // root offset, identifier
                            8 | 12 << 16,  // vtable: its size, the table's
                            4 | 8 << 16,   // its fields
                            8,             // the table: its vtable lies 8 before
                            7,
                            4,  // the scalar; the vector starts right behind
                            2,
                            1000,
                            2000};  // the vector
  std::vector<uint8_t> bytes(sizeof words);
  std::memcpy(bytes.data(), words, sizeof words);
  return bytes;
}

TEST_CASE("mutate: every part of the structure changes, one seed gives one file") {
  const std::vector<uint8_t> whole = file();
  std::vector<int> changes(whole.size() / 4);
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::vector<uint8_t> a = whole, b = whole;
    REQUIRE(edge_mutate(a.data(), a.size(), seed) == a.size());
    REQUIRE(edge_mutate(b.data(), b.size(), seed) == b.size());
    REQUIRE(a == b);
    for (size_t i = 0; i < changes.size(); ++i) {
      changes[i] += std::memcmp(&a[4 * i], &whole[4 * i], 4) != 0;
    }
  }
  CHECK(changes[1] == 0);  // no field: the identifier
  changes.erase(changes.begin() + 1);
  for (int count : changes) CHECK(count > 50);
}

TEST_CASE("mutate: damaged files and other bytes") {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    std::vector<uint8_t> bytes = file();
    for (uint32_t i = 0; i < 6; ++i) {
      if (!edge_mutate(bytes.data(), bytes.size(), seed + 7919 * i)) break;
    }
    bytes.resize(seed % bytes.size());
    (void)edge_mutate(bytes.data(), bytes.size(), seed);
  }
  uint8_t nothing[16] = {};
  CHECK(edge_mutate(nothing, sizeof nothing, 1) == 0);
  CHECK(edge_mutate(nothing, 0, 1) == 0);
}

}  // namespace
