#include "graph/types.h"

#include <algorithm>

namespace edge {
namespace {

struct Info {
  const char* name;
  size_t size;
};
constexpr Info kInfo[kDTypeCount] = {
    {"float32", 4}, {"float16", 2},     {"int32", 4},  {"uint8", 1},     {"int64", 8},
    {"str", 0},     {"bool", 1},        {"int16", 2},  {"complex64", 8}, {"int8", 1},
    {"float64", 8}, {"complex128", 16}, {"uint64", 8}, {"resource", 4},  {"variant", 0},
    {"uint32", 4},  {"uint16", 2},      {"int4", 0},   {"bfloat16", 2},
};

}  // namespace

const char* dtype_name(DType type) { return kInfo[static_cast<size_t>(type)].name; }
size_t dtype_size(DType type) { return kInfo[static_cast<size_t>(type)].size; }

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) {
    if (i) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

Result<size_t> byte_size(DType type, const Shape& shape) {
  constexpr int64_t kLimit = INT32_MAX;
  int64_t count = 1;
  bool empty = false;
  for (int32_t extent : shape) {
    if (extent < 0)
      return invalid_model(format("shape %s has an unknown extent", to_string(shape).c_str()));
    // An extent of zero counts as one: then no part of the shape has more elements either.
    count *= std::max(extent, 1);
    empty = empty || extent == 0;
    if (count > kLimit) {
      return unsupported(
          format("shape %s has more than 2^31-1 elements", to_string(shape).c_str()));
    }
  }
  if (empty) return size_t{0};
  if (type == DType::kInt4) return static_cast<size_t>((count + 1) / 2);
  const int64_t bytes = count * static_cast<int64_t>(dtype_size(type));
  if (bytes > kLimit) {
    return unsupported(
        format("%s%s needs more than 2^31-1 bytes", dtype_name(type), to_string(shape).c_str()));
  }
  return static_cast<size_t>(bytes);
}

}  // namespace edge
