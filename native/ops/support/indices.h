// Index tensors of int16, int32 or int64, whose contents may be known while running only.
#pragma once

#include "ops/op.h"

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

}  // namespace edge
