// LOGISTIC and TANH of int16 as TFLite's reference computes them: straight lines between 256 points
// of the sigmoid, 1/24 apart (decision 001).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "graph/types.h"

namespace edge {

// The sigmoid at i / 24 as Q0.16: rounded, but for those that the reference has one higher.
inline std::array<uint32_t, 256> sigmoid_points() {
  constexpr uint64_t kHigher[4] = {0xc0467baefa7bd110, 0x11009020440005, 0x80, -0x8000000000000000};
  std::array<uint32_t, 256> points;
  for (size_t i = 0; i < points.size(); ++i) {
    const double v = std::round(65536 / (1 + std::exp(static_cast<double>(i) / -24)));
    points[i] = static_cast<uint32_t>(v) + (kHigher[i / 64] >> i % 64 & 1);
  }
  return points;
}

// Codes are brought to units of 1 / (3 * 4096): (q * multiplier + rounding) >> shift.
class SigmoidInput {
 public:
  // Of a scale that is 2^-12 (or, where `twice`, 2^-11) the multiplier is 3 (or 6). TFLite takes
  // scales for powers of two when they are near enough.
  SigmoidInput(float scale, bool twice) {
    const float log = std::log(scale) * (1.0f / std::log(2.0f));
    const int left = 12 + static_cast<int>(std::round(log));
    if (std::fabs(log - std::round(log)) < 1e-3f && (left == 0 || (twice && left == 1))) {
      multiplier_ = 3 << left;
      return;
    }
    double multiplier = static_cast<double>(scale) * 4096.0 * 3.0;
    for (; multiplier <= 32767.0 / 2.0 && shift_ <= 30; multiplier *= 2) ++shift_;
    multiplier_ = static_cast<int64_t>(multiplier < 0x1p31 ? multiplier : 0x1p31 - 1);
  }
  // Products wrap at 32 bits.
  int32_t operator()(int32_t q) const {
    const int64_t round = shift_ > 0 ? int64_t{1} << (shift_ - 1) : 0;
    return static_cast<int32_t>(q * multiplier_ + round) >> (shift_ & 31);
  }

 private:
  int64_t multiplier_ = 0;
  int shift_ = 0;
};

inline uint32_t magnitude(int32_t x) {
  return x < 0 ? 0 - static_cast<uint32_t>(x) : static_cast<uint32_t>(x);
}

// Both give Q0.15.
inline int32_t logistic16(int32_t x, const std::array<uint32_t, 256>& points) {
  const uint32_t at = magnitude(x), i = at >> 9;
  uint32_t v = 0x7fffu << 10;
  if (i < 255) v = (points[i] << 9) + (at & 511) * (points[i + 1] - points[i]);
  v = x >= 0 ? v + (1 << 9) : (1u << 25) - v + (1 << 9) - 1;
  return static_cast<int16_t>(v >> 10);
}
inline int32_t tanh16(int32_t x, const std::array<uint32_t, 256>& points) {
  const uint32_t at = magnitude(x), i = at >> 8;
  int32_t v = 0xffff << 8;
  if (i < 255)
    v = static_cast<int32_t>((points[i] << 8) + (at & 255) * (points[i + 1] - points[i]));
  v = x >= 0 ? v - (1 << 23) + (1 << 7) : -v + (1 << 23) + (1 << 7) - 1;
  return static_cast<int16_t>(v >> 8);
}

}  // namespace edge
