#include "ops/support/unary.h"

#include <doctest/doctest.h>

#include <limits>

#include "graph/builder.h"

namespace edge {
namespace {

using Table = std::array<uint8_t, 256>;

int8_t at(const Table& table, int8_t code) {
  return static_cast<int8_t>(table[static_cast<uint8_t>(code)]);
}

TensorSpec codes(DType type, float scale, int zero_point) {
  GraphBuilder b;
  return b.graph().values[static_cast<size_t>(b.value(type, {1}, scale, zero_point))].spec;
}

TEST_CASE("unary: a table is addressed by the code's byte and cut to the output's codes") {
  Table table;
  fill_table(DType::kInt8, DType::kInt8, [](int32_t q) { return 2 * q; }, &table);
  CHECK(at(table, -128) == -128);
  CHECK(at(table, -5) == -10);
  CHECK(at(table, 0) == 0);
  CHECK(at(table, 100) == 127);
  fill_table(DType::kInt8, DType::kUInt8, [](int32_t q) { return q + 128; }, &table);
  for (int q = -128; q < 128; ++q) CHECK(table[static_cast<uint8_t>(q)] == q + 128);
}

TEST_CASE("unary: a real function is rounded half away from zero and saturates") {
  const TensorSpec in = codes(DType::kInt8, 0.25f, 0), out = codes(DType::kInt8, 0.5f, 1);
  Table table;
  fill_real_table(in, out, [](float x) { return x; }, &table);
  CHECK(at(table, 1) == 2);   // 0.25 / 0.5 = 0.5 -> 1
  CHECK(at(table, -1) == 0);  // -0.5 -> -1
  CHECK(at(table, 4) == 3);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  fill_real_table(in, out, [](float x) { return x < 0 ? -kInfinity : kInfinity * x; }, &table);
  CHECK(at(table, -1) == -128);
  CHECK(at(table, 0) == -128);  // NaN
  CHECK(at(table, 1) == 127);
}

}  // namespace
}  // namespace edge
