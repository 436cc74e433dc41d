// 8-bit weights, or 4-bit ones as int8.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace edge {

// The low half of a byte comes first. `unpacked` holds what an INT4 constant becomes.
inline const uint8_t* bytes_of_codes(const Value& value, std::vector<uint8_t>* unpacked) {
  if (value.spec.dtype != DType::kInt4) return value.data.data();
  unpacked->resize(static_cast<size_t>(value.spec.shape.count()));
  for (size_t i = 0; i < unpacked->size(); ++i) {
    const int half = value.data[i / 2] >> (i % 2 ? 4 : 0) & 15;
    (*unpacked)[i] = static_cast<uint8_t>(half < 8 ? half : half - 16);
  }
  return unpacked->data();
}

}  // namespace edge
