#include "ops/support/row_codes.h"

#include <algorithm>
#include <cmath>

namespace edge {
namespace {

// Lanes that the compiler keeps in vector registers.
constexpr size_t kLanes = 16;

struct Extent {
  float low = 0, high = 0;
};

Extent extent(const float* x, size_t n) {
  float low[kLanes] = {}, high[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
      high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
    }
  }
  for (; i < n; ++i) {
    low[0] = std::min(low[0], x[i]);
    high[0] = std::max(high[0], x[i]);
  }
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
}

// What is left of a value when only the codes' range is; NaN gives the lowest code.
inline float cut(float v, float low, float high) {
  v = v > low ? v : low;
  return v < high ? v : high;
}

}  // namespace

RowCodes find_codes(const float* x, size_t n, bool asymmetric) {
  const Extent e = extent(x, n);
  RowCodes codes;
  if (!asymmetric) {
    const float range = std::max(-e.low, e.high);
    if (range == 0) return codes;
    codes.scale = range / 127;
    codes.inverse = 127 / range;
    return codes;
  }
  codes.low = -128;
  if (e.low == e.high) return codes;
  const double low = static_cast<double>(e.low), high = static_cast<double>(e.high);
  const double scale = static_cast<double>(e.high - e.low) / 255;
  // The zero point that follows from the end of the range that is nearer to 0.
  const double zero = 128 + std::abs(low / scale) < 127 + std::abs(high / scale)
                          ? -128 - low / scale
                          : 127 - high / scale;
  codes.offset = zero >= -128 ? static_cast<int32_t>(std::round(std::min(zero, 127.))) : -128;
  codes.scale = static_cast<float>(scale);
  codes.inverse = codes.scale == 0 ? 0 : 1.f / codes.scale;
  return codes;
}

void encode(const RowCodes& codes, const float* x, size_t rough, size_t n, int8_t* out) {
  const float low = static_cast<float>(codes.low - codes.offset), inverse = codes.inverse;
  const float high = static_cast<float>(127 - codes.offset);
  const int32_t offset = codes.offset;
  const auto rough_code = [=](float value) {
    const float v = cut(value * inverse, low, high);
    return static_cast<int8_t>(static_cast<int32_t>(v + (v < 0.f ? -0.5f : 0.5f)) + offset);
  };
  size_t i = 0;
  for (; i + kLanes <= rough; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) out[i + j] = rough_code(x[i + j]);
  }
  for (; i < rough; ++i) out[i] = rough_code(x[i]);
  for (; i < n; ++i) {
    const float v = std::round(cut(x[i] * inverse, low, high));
    out[i] = static_cast<int8_t>(static_cast<int32_t>(v) + offset);
  }
}

}  // namespace edge
