#include "ops/support/options.h"

#include <cstring>

namespace edge {

Status read_float(const FlexMap& map, const char* key, float* out) {
  EDGE_ASSIGN(const std::optional<double> value, map.number(key));
  if (!value) return invalid_model(format("its custom options lack %s", key));
  *out = static_cast<float>(*value);
  return {};
}

Status read_optional(const FlexMap& map, const char* key, int32_t low, int32_t high, int32_t* out) {
  EDGE_ASSIGN(const std::optional<double> value, map.number(key));
  if (value && !(*value >= low && *value <= high)) {
    return invalid_model(format("its custom options have %s = %g", key, *value));
  }
  if (value) *out = static_cast<int32_t>(*value);
  return {};
}

Status read_integer(const FlexMap& map, const char* key, int32_t low, int32_t high, int32_t* out) {
  EDGE_ASSIGN(const std::optional<double> value, map.number(key));
  if (!value) return invalid_model(format("its custom options lack %s", key));
  return read_optional(map, key, low, high, out);
}

Result<Pool2DAttributes> read_pool(Span<const uint8_t> options) {
  int32_t fields[6];
  if (options.size() < sizeof fields) {
    return invalid_model(
        format("custom options of %zu bytes, wanted %zu", options.size(), sizeof fields));
  }
  std::memcpy(fields, options.data(), sizeof fields);
  const auto [padding, stride_w, stride_h, filter_w, filter_h, activation] = fields;
  // Real filters are small; the bound keeps products of two extents within 32 bits.
  constexpr int32_t kMost = 1 << 12;
  for (int32_t n : {stride_w, stride_h, filter_w, filter_h}) {
    if (n < 1 || n > kMost) return invalid_model(format("a stride or filter of %d cells", n));
  }
  if (padding < 1 || padding > 2) return invalid_model(format("padding %d is unknown", padding));
  if (activation < 0 || activation > 3) {
    return unsupported(format("fused activation %d", activation));
  }
  Pool2DAttributes a;
  a.padding = padding == 1 ? Padding::kSame : Padding::kValid;
  a.stride_w = stride_w;
  a.stride_h = stride_h;
  a.filter_w = filter_w;
  a.filter_h = filter_h;
  a.activation = static_cast<Activation>(activation);
  return a;
}

}  // namespace edge
