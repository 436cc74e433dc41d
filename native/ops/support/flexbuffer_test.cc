#include "ops/support/flexbuffer.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <random>
#include <vector>

namespace edge {
namespace {

// {"a": 7, "b": -2, "f": 0.5, "n": null, "t": true, "w": 300 (2 bytes), "x": indirect float64 0.1},
// laid out by hand after the format's description; one byte a slot.
std::vector<uint8_t> example() {
  std::vector<uint8_t> b;
  const auto append = [&b](std::initializer_list<uint8_t> bytes) {
    for (uint8_t byte : bytes) b.push_back(byte);
  };
  append({'a', 0, 'b', 0, 'f', 0, 'n', 0, 't', 0, 'w', 0, 'x', 0, 0, 0});
  const size_t number = b.size();  // 0.1 as float64
  append({0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f});
  const size_t half = b.size();  // 0.5 as float32
  append({0, 0, 0, 0x3f});
  const size_t wide = b.size();  // 300 as int16
  append({300 & 255, 300 >> 8});
  const auto back_to = [&b](size_t target) {
    b.push_back(static_cast<uint8_t>(b.size() - target));
  };
  b.push_back(7);  // the keys' vector: its size and offsets
  const size_t key_vector = b.size();
  for (size_t i = 0; i < 7; ++i) back_to(2 * i);
  back_to(key_vector);  // the map: its keys, their width, its size, values and types
  b.push_back(1);
  b.push_back(7);
  const size_t map = b.size();
  b.push_back(7);
  b.push_back(static_cast<uint8_t>(-2));
  back_to(half);
  b.push_back(0);
  b.push_back(1);
  back_to(wide);
  back_to(number);
  const auto type = [](int kind, int width_log2) {
    return static_cast<uint8_t>(kind << 2 | width_log2);
  };
  append({type(1, 0), type(1, 0), type(8, 2), type(0, 0), type(26, 0), type(6, 1), type(8, 3)});
  back_to(map);  // the root
  b.push_back(type(9, 0));
  b.push_back(1);
  return b;
}

const char* const kKeys[] = {"a", "b", "f", "n", "t", "w", "x", "absent", ""};

double number(const FlexMap& map, const char* key) {
  const auto value = map.number(key);
  REQUIRE(value.ok());
  REQUIRE(value->has_value());
  return **value;
}

TEST_CASE("a FlexBuffers map gives its numbers, whatever their type and width") {
  const std::vector<uint8_t> bytes = example();
  const Result<FlexMap> map = FlexMap::parse(bytes);
  REQUIRE(map.ok());
  CHECK(map->size() == 7);
  CHECK(number(*map, "a") == 7);
  CHECK(number(*map, "b") == -2);
  CHECK(number(*map, "f") == 0.5);
  CHECK(number(*map, "t") == 1);
  CHECK(number(*map, "w") == 300);
  CHECK(number(*map, "x") == 0.1);
  for (const char* key : {"n", "absent", "", "aa"}) {
    const auto value = map->number(key);
    REQUIRE(value.ok());
    CHECK_FALSE(value->has_value());
  }
}

// Each copy lies in memory of its own size, so that a sanitizer sees a byte read too many.
void read_all(const std::vector<uint8_t>& bytes) {
  const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  const Result<FlexMap> map = FlexMap::parse(exact);
  if (!map.ok()) {
    CHECK(map.status().code() == Code::kInvalidModel);
    return;
  }
  for (const char* key : kKeys) {
    const auto value = map->number(key);
    if (!value.ok()) CHECK(value.status().code() == Code::kInvalidModel);
  }
}

TEST_CASE("FlexBuffers that are cut short are refused or read within their bounds") {
  const std::vector<uint8_t> bytes = example();
  for (size_t n = 0; n < bytes.size(); ++n) {
    read_all({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)});  // the end is gone
    read_all({bytes.begin() + static_cast<std::ptrdiff_t>(n), bytes.end()});    // the start is gone
  }
  CHECK_FALSE(FlexMap::parse(Span<const uint8_t>()).ok());
}

TEST_CASE("FlexBuffers with any byte changed are read within their bounds") {
  const std::vector<uint8_t> bytes = example();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::vector<uint8_t> changed = bytes;
      changed[i] = static_cast<uint8_t>(value);
      read_all(changed);
    }
  }
}

TEST_CASE("random bytes are no FlexBuffers map, or are read within their bounds") {
  std::minstd_rand random(1);
  for (int n = 0; n < 20000; ++n) {
    std::vector<uint8_t> bytes(random() % 40);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % (n % 2 ? 256 : 12));
    if (bytes.size() > 2) {
      bytes.back() = static_cast<uint8_t>(1 << random() % 4);
      bytes[bytes.size() - 2] = static_cast<uint8_t>(9 << 2 | random() % 4);
    }
    read_all(bytes);
  }
}

TEST_CASE("a number that is none is an error that names its key") {
  std::vector<uint8_t> bytes = example();
  const size_t first_type = bytes.size() - 3 - 7;
  bytes[first_type] = 5 << 2;  // "a" is a string
  const Result<FlexMap> map = FlexMap::parse(bytes);
  REQUIRE(map.ok());
  const auto value = map->number("a");
  REQUIRE_FALSE(value.ok());
  CHECK(value.status().message().find("a:") == 0);
}

}  // namespace
}  // namespace edge
