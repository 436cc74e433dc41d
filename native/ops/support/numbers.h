// Tensors of float32 or 8-bit codes, read as float32 one by one.
#pragma once

#include "graph/graph.h"

namespace edge {

struct Numbers {
  DType type = DType::kFloat32;
  float scale = 1, zero = 0;

  float at(const uint8_t* data, int64_t i) const {
    switch (type) {
      case DType::kUInt8:
        return (static_cast<float>(data[i]) - zero) * scale;
      case DType::kInt8:
        return (static_cast<float>(reinterpret_cast<const int8_t*>(data)[i]) - zero) * scale;
      default:
        return reinterpret_cast<const float*>(data)[i] * scale;
    }
  }
};

// The numbers times `factor`.
inline Numbers numbers_of(const TensorSpec& s, float factor = 1) {
  if (s.dtype == DType::kFloat32) return {s.dtype, factor, 0};
  return {s.dtype, s.scale() * factor, static_cast<float>(s.zero_point())};
}

}  // namespace edge
