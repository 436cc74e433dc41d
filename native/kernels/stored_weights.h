// Weights of one output channel on their way into a kernel's layout: the w' and c of gemm/gemm.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/requantize/requantize.h"

namespace edge {

// T = int16_t: w' = w - zw, c = 0. T = int8_t: the same where all of it fits, otherwise w' = w as
// int8 and c = -zw. With `negate`, -w' or, where that does not fit, ~w' and a c greater by 1.
template <typename T>
struct StoredWeights {
  std::vector<T> values;
  int32_t c = 0;
  uint32_t sum = 0;           // of `values`; unsigned: accumulators wrap
  double rise = 0, fall = 0;  // sums of the positive w - zw and of the others' magnitudes

  // `n` weights, `stride` bytes apart: int8, or uint8 where `is_unsigned`.
  void load(const uint8_t* data, size_t n, size_t stride, bool is_unsigned, int32_t zero_point,
            bool negate) {
    values.resize(n);
    // int8 and uint8 alike: the flipped sign bit takes 128 off a uint8.
    const uint8_t flip = is_unsigned ? 0x80 : 0;
    const int32_t zero = zero_point - (is_unsigned ? 128 : 0);
    const int32_t sign = negate ? -1 : 1;
    int32_t least = 0, most = 0;
    int64_t total = 0, absolute = 0;
    // In pieces whose sums fit 32 bits, so that the compiler takes vectors for them.
    constexpr size_t kPiece = 4096;
    const bool as_it_is = sizeof(T) == 1 && stride == 1 && flip == 0 && zero == 0 && !negate;
    if (as_it_is) std::memcpy(values.data(), data, n);
    for (size_t first = 0; first < n; first += kPiece) {
      const size_t end = n - first < kPiece ? n : first + kPiece;
      int32_t piece = 0, piece_absolute = 0;
      if (as_it_is) {
        for (size_t k = first; k < end; ++k) {
          const int32_t w = values[k];
          piece_absolute += w < 0 ? -w : w;
          piece += w;
        }
      } else {
        for (size_t k = first; k < end; ++k) {
          const int32_t w = (static_cast<int8_t>(data[k * stride] ^ flip) - zero) * sign;
          values[k] = static_cast<T>(w);
          least = w < least ? w : least;
          most = w > most ? w : most;
          piece_absolute += w < 0 ? -w : w;
          piece += w;
        }
      }
      total += piece;
      absolute += piece_absolute;
    }
    c = 0;
    rise = static_cast<double>((absolute + total) / 2);
    fall = static_cast<double>((absolute - total) / 2);
    sum = static_cast<uint32_t>(total);
    if (least >= std::numeric_limits<T>::min() && most <= std::numeric_limits<T>::max()) return;
    const uint8_t invert = static_cast<uint8_t>(flip ^ (negate ? 0xff : 0));
    c = negate ? zero + 1 : -zero;
    sum = 0;
    for (size_t k = 0; k < n; ++k) {
      values[k] = static_cast<T>(static_cast<int8_t>(data[k * stride] ^ invert));
      sum += static_cast<uint32_t>(values[k]);
    }
  }

  // b, with the bias of the file: what a window of x_zero (zx in the kernel's type) alone would add
  // is taken off again.
  int32_t folded_bias(uint32_t bias, int32_t x_zero, bool negate) const {
    const uint32_t all = sum + static_cast<uint32_t>(c) * static_cast<uint32_t>(values.size());
    return static_cast<int32_t>((negate ? 0 - bias : bias) - static_cast<uint32_t>(x_zero) * all);
  }
  // acc stays within, with x between -128 and 127, or 0 and 255.
  requantize::Bounds bounds(uint32_t bias, bool negate, int32_t x_zero_point,
                            bool x_unsigned) const {
    const double plain = static_cast<double>(static_cast<int32_t>(bias));
    const double b = negate ? -plain : plain;
    const double below = x_zero_point + (x_unsigned ? 0. : 128.), above = 255 - below;
    return {b - (below * rise + above * fall), b + (above * rise + below * fall)};
  }
};

}  // namespace edge
