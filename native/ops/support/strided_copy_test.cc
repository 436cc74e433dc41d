#include "ops/support/strided_copy.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace edge {
namespace {

struct Case {
  size_t unit;
  std::vector<CopyAxis> axes;
  int64_t in_offset = 0;
};

// The definition: one index tuple after the other.
void reference(const Case& c, size_t depth, const uint8_t* in, uint8_t* out) {
  if (depth == c.axes.size()) {
    for (size_t k = 0; k < c.unit; ++k) out[k] = in[k];
    return;
  }
  const CopyAxis& axis = c.axes[depth];
  for (int64_t i = 0; i < axis.count; ++i) {
    reference(c, depth + 1, in + i * axis.in, out + i * axis.out);
  }
}

void check_case(const Case& c, size_t in_bytes, size_t out_bytes) {
  std::vector<uint8_t> in(in_bytes), wanted(out_bytes, 0xee), got(out_bytes, 0xee);
  std::minstd_rand random(7);
  for (uint8_t& byte : in) byte = static_cast<uint8_t>(random());
  reference(c, 0, in.data() + c.in_offset, wanted.data());
  StridedCopy copy(c.unit);
  for (const CopyAxis& axis : c.axes) copy.add(axis);
  copy.set_offsets(c.in_offset, 0);
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    got.assign(out_bytes, 0xee);
    copy.simplified().run(in.data(), got.data(), pool);
    CHECK(got == wanted);
  }
}

TEST_CASE("transpositions around the tile's edge, of every element size") {
  for (size_t unit : {1, 2, 4, 8, 16}) {
    for (int64_t rows : {1, 15, 16, 17, 33}) {
      for (int64_t cols : {1, 16, 31}) {
        const int64_t u = static_cast<int64_t>(unit);
        const size_t bytes = static_cast<size_t>(rows * cols * u);
        check_case({unit, {{cols, u, rows * u}, {rows, cols * u, u}}}, bytes, bytes);
      }
    }
  }
}

TEST_CASE("a transposition that is divided among threads") {
  const int64_t rows = 300, cols = 700;
  check_case({4, {{cols, 4, rows * 4}, {rows, cols * 4, 4}}}, 4 * 300 * 700, 4 * 300 * 700);
  check_case({1, {{2, 1, 1 << 20}, {1 << 20, 2, 1}}}, 2 << 20, 2 << 20);
}

TEST_CASE("axes that lie side by side, repeat, run backwards and have one item") {
  check_case({2, {{3, 40, 40}, {1, 999, 999}, {4, 10, 10}, {5, 2, 2}}}, 120, 120);  // one block
  check_case({2, {{3, 0, 20}, {2, 0, 10}, {5, 2, 2}}}, 10, 60);                     // tiled
  check_case({4, {{3, -16, 8}, {2, 4, 4}}, 32}, 40, 24);  // rows upside down
  check_case({1, {{10, -1, 1}}, 9}, 10, 10);
  check_case({3, {}}, 3, 3);
}

TEST_CASE("an axis without items copies nothing, however large the others claim to be") {
  StridedCopy copy(8);
  copy.add({INT64_MAX, INT64_MAX, INT64_MAX});
  copy.add({0, 8, 8});
  CHECK(copy.simplified().bytes() == 0);
  copy.simplified().run(nullptr, nullptr);
}

TEST_CASE("strides of dense and empty shapes") {
  const auto strides = byte_strides({2, 3, 4}, 2);
  CHECK(strides[0] == 24);
  CHECK(strides[1] == 8);
  CHECK(strides[2] == 2);
  CHECK(byte_strides({0, INT32_MAX, INT32_MAX, INT32_MAX}, 8)[0] == 0);
}

}  // namespace
}  // namespace edge
