// Index tensors of int16, int32 or int64, whose contents may be known while running only.
#pragma once

#include <array>

#include "ops/op.h"
#include "ops/support/strided_copy.h"

namespace edge {

// Input i is an index tensor.
inline Status expect_indices(const OpView& op, size_t i) {
  return op.expect_input(i, {DType::kInt16, DType::kInt32, DType::kInt64});
}

class Indices {
 public:
  Indices(const uint8_t* data, size_t bytes_each) : data_(data), bytes_each_(bytes_each) {}
  int64_t operator[](int64_t i) const {
    switch (bytes_each_) {
      case 2:
        return reinterpret_cast<const int16_t*>(data_)[i];
      case 4:
        return reinterpret_cast<const int32_t*>(data_)[i];
      default:
        return reinterpret_cast<const int64_t*>(data_)[i];
    }
  }

 private:
  const uint8_t* data_;
  size_t bytes_each_;
};

// Rows of an index tensor that name places in an array by their first `depth` coordinates.
struct Coordinates {
  int depth = 0;
  std::array<int64_t, kMaxRank> extent{}, stride{};

  Coordinates() = default;
  Coordinates(const Shape& shape, int depth_, size_t element)
      : depth(depth_), stride(byte_strides(shape, element)) {
    for (int i = 0; i < depth; ++i) extent[static_cast<size_t>(i)] = shape[i];
  }

  // Bytes from the array's start to the place of row i, or -1 where that is outside of it.
  int64_t offset(const Indices& index, int64_t i) const {
    int64_t at = 0;
    for (int d = 0; d < depth; ++d) {
      const size_t axis = static_cast<size_t>(d);
      const int64_t k = index[i * depth + d];
      if (k < 0 || k >= extent[axis]) return -1;
      at += k * stride[axis];
    }
    return at;
  }
};

inline std::string row_outside(int64_t row) {
  return format("row %lld of its indices is outside of the array", static_cast<long long>(row));
}

}  // namespace edge
