// Functions of int16 codes as TFLite's reference approximates them: 513 points, straight lines in
// between (decision 001).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace edge {

using Points = std::array<int16_t, 513>;

// The points of f for codes from `first` on, in units of in_scale, and results in units of
// out_scale. Each is moved by half of the error that the line would have halfway to the next. Real
// is the type that all is computed in; f takes and returns it.
template <typename Real, typename F>
Points make_points(Real in_scale, int32_t first, Real out_scale, const F& f) {
  const Real low = in_scale * static_cast<Real>(first);
  const Real high = in_scale * static_cast<Real>(first + 65535);
  const Real step = (high - low) / 512, half = step / 2;
  const Real inverse = Real{65536} / (out_scale * Real{32767} - out_scale * Real{-32768});
  // What is no number becomes 0, as the reference's conversion cuts it on x86.
  const auto code = [](Real v) {
    return std::isnan(v) ? int16_t{0}
                         : static_cast<int16_t>(std::min(std::max(v, Real{-32768}), Real{32767}));
  };
  Points points;
  for (int i = 0; i < 512; ++i) {
    const Real at = low + static_cast<Real>(i) * step;
    const Real next = f(low + static_cast<Real>(i + 1) * step);
    const Real sample = std::round(f(at) * inverse);
    const Real middle = std::round(f(at + half) * inverse);
    const Real line = std::round((next * inverse + sample) / 2);
    points[static_cast<size_t>(i)] = code(sample - std::round((line - middle) / 2));
  }
  points[512] = code(std::round(f(high) * inverse));
  return points;
}

inline int16_t interpolate(int32_t code, const Points& points) {
  const size_t i = static_cast<size_t>(256 + (code >> 7));
  const int16_t slope = static_cast<int16_t>(points[i + 1] - points[i]);
  return static_cast<int16_t>(points[i] + ((slope * (code & 127) + 64) >> 7));
}

}  // namespace edge
