// DR of requantize.h on 4 values in a register; for NEON files of any family.
#pragma once

#include "kernels/arm_neon.h"
#include "kernels/requantize/requantize.h"

namespace edge::requantize {

struct DrNeon {
  int32x4_t left;  // max(e, 0)
  int32x4_t m;
  int32x4_t right;  // min(e, 0) = -s
};

static inline DrNeon make_dr_neon(int32x4_t m, int32x4_t e) {
  const int32x4_t zero = vdupq_n_s32(0);
  return {vmaxq_s32(e, zero), m, vminq_s32(e, zero)};
}

static inline DrNeon make_dr_neon(const Multiplier& multiplier) {
  return make_dr_neon(vdupq_n_s32(multiplier.m), vdupq_n_s32(multiplier.e));
}

static inline int32x4_t dr_neon(int32x4_t x, const DrNeon& dr) {
  // sqrdmulh is (x' * m + 2^30) >> 31: it can't saturate, since m >= 0. srshl by -s rounds half up;
  // taking 1 off negative numbers first, unless s = 0, makes that half away from zero.
  const int32x4_t y = vqrdmulhq_s32(vshlq_s32(x, dr.left), dr.m);
  return vrshlq_s32(vsraq_n_s32(y, vandq_s32(y, dr.right), 31), dr.right);
}

// What Finish::kFixed does to rows of accumulators, 16 columns a time.
struct FixedNeon {
  int16x8_t zero_point;
  // Negative results round half away from zero: srshl needs a 1 less. Not where the output's lower
  // end cuts them off.
  bool away;
  // The lowest code is the zero point: as with a relu, negative results saturate to it.
  bool from_lowest;
  bool cut;  // whether `output` leaves out codes or bytes are flipped
  Output output;
  uint8_t flip;
};

static inline FixedNeon make_fixed_neon(const Output& output, uint8_t flip) {
  const bool lowest = output.min == -128 && output.zero_point == -128;
  return {vdupq_n_s16(static_cast<int16_t>(output.zero_point)),
          output.min < output.zero_point,
          lowest,
          output.min != -128 || output.max != 127 || flip != 0,
          output,
          flip};
}

// Sums begin with the biases. Loads take fewer instructions than copies of registers.
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void start_rows_neon(const int32_t* b,
                                                          int32x4_t (&sum)[kRows][kVectors]) {
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    neon::load_pair<0>(b, sum[i][0], sum[i][1]);
    if (kVectors == 4) neon::load_pair<32>(b, sum[i][kVectors - 2], sum[i][kVectors - 1]);
  }
}

// double_round of 4 accumulators whose exponent e is below 0, or 0 unless kAway.
template <bool kAway>
static inline int32x4_t fixed_neon(int32x4_t x, int32x4_t m, int32x4_t e) {
  int32x4_t y = vqrdmulhq_s32(x, m);
  if (kAway) y = vsraq_n_s32(y, y, 31);
  return vrshlq_s32(y, e);
}

// 16 results as uint8, saturated; `saturate` unless they fit int16.
[[gnu::always_inline]] static inline uint8x16_t narrow_to_uint8(int32x4_t a, int32x4_t b,
                                                                int32x4_t c, int32x4_t d,
                                                                bool saturate) {
  int16x8_t low, high;
  if (saturate) {
    low = neon::narrow(a, b);
    high = neon::narrow(c, d);
  } else {
    low = vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b));
    high = vuzp1q_s16(vreinterpretq_s16_s32(c), vreinterpretq_s16_s32(d));
  }
  return neon::narrow_to_uint8(low, high);
}

template <bool kAway, int kRows, int kVectors>
[[gnu::always_inline]] static inline void fixed_rows_neon(const int32x4_t (&sum)[kRows][kVectors],
                                                          const int32x4_t (&m)[kVectors],
                                                          const int32x4_t (&e)[kVectors],
                                                          int16x8_t zero_point,
                                                          int8x16_t (&bytes)[kRows]) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    int32x4_t r[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) r[v] = fixed_neon<kAway>(sum[i][v], m[v], e[v]);
    const int16x8_t low = vqaddq_s16(neon::narrow(r[0], r[1]), zero_point);
    int16x8_t high = low;
    if (kVectors == 4)
      high = vqaddq_s16(neon::narrow(r[kVectors - 2], r[kVectors - 1]), zero_point);
    bytes[i] = neon::narrow(low, high);
  }
}

// Brings bytes into the output's range; only where `cut`.
template <size_t kCount>
static inline void cut_neon(const FixedNeon& fixed, int8x16_t (&bytes)[kCount]) {
  const int8x16_t min = vdupq_n_s8(static_cast<int8_t>(fixed.output.min));
  const int8x16_t max = vdupq_n_s8(static_cast<int8_t>(fixed.output.max));
  const int8x16_t flip = vdupq_n_s8(static_cast<int8_t>(fixed.flip));
#pragma GCC unroll 8
  for (size_t i = 0; i < kCount; ++i) {
    bytes[i] = veorq_s8(vminq_s8(vmaxq_s8(bytes[i], min), max), flip);
  }
}

static inline bool narrows(const FixedNeon& fixed, Finishing finishing) {
  return fixed.from_lowest && finishing == kNarrow;
}

template <int kVectors>
[[gnu::always_inline]] static inline void load_neon(const int32_t* from,
                                                    int32x4_t (&to)[kVectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) to[v] = vld1q_s32(from + v * 4);
}

// Rows of 8 or 16 columns, from the lowest code on, as bytes that may need cutting; m and e are
// their multipliers and exponents. `saturate` unless narrows() holds.
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void narrow_rows_neon(const int32x4_t (&sum)[kRows][kVectors],
                                                           const int32_t* m, const int32_t* e,
                                                           bool saturate,
                                                           int8x16_t (&bytes)[kRows]) {
  int32x4_t multiplier[kVectors], exponent[kVectors], r[kRows][kVectors];
  load_neon(m, multiplier);
  load_neon(e, exponent);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      r[i][v] = fixed_neon<false>(sum[i][v], multiplier[v], exponent[v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    const uint8x16_t narrow =
        narrow_to_uint8(r[i][0], r[i][1], r[i][kVectors - 2], r[i][kVectors - 1], saturate);
    bytes[i] = vreinterpretq_s8_u8(veorq_u8(narrow, vdupq_n_u8(0x80)));
  }
}

// The same for any rows; `narrow` says whether narrows() holds.
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void finish_rows_neon(const int32x4_t (&sum)[kRows][kVectors],
                                                           const int32_t* m, const int32_t* e,
                                                           const FixedNeon& fixed, bool narrow,
                                                           int8x16_t (&bytes)[kRows]) {
  if (narrow) {
    narrow_rows_neon(sum, m, e, false, bytes);
  } else {
    int32x4_t multiplier[kVectors], exponent[kVectors];
    load_neon(m, multiplier);
    load_neon(e, exponent);
    if (fixed.away) {
      fixed_rows_neon<true>(sum, multiplier, exponent, fixed.zero_point, bytes);
    } else {
      fixed_rows_neon<false>(sum, multiplier, exponent, fixed.zero_point, bytes);
    }
  }
  if (fixed.cut) cut_neon(fixed, bytes);
}

// The first `cols` bytes, fewer than 16. Not inlined: whole rows should not pay for it.
[[gnu::noinline]] static inline void store_part_neon(uint8_t* out, int8x16_t bytes, size_t cols) {
  uint8_t all[16];
  vst1q_u8(all, vreinterpretq_u8_s8(bytes));
  for (size_t n = 0; n < cols; ++n) out[n] = all[n];
}

// The first `cols` bytes, at most kColumns, of the first `rows` rows.
template <size_t kColumns, size_t kRows>
[[gnu::always_inline]] static inline void store_rows_neon(const int8x16_t (&bytes)[kRows],
                                                          size_t rows, uint8_t* out, size_t stride,
                                                          size_t cols) {
#pragma GCC unroll 8
  for (size_t i = 0; i < kRows; ++i, out += stride) {
    if (i > 0 && i >= rows) break;
    if (cols < kColumns) {
      store_part_neon(out, bytes[i], cols);
    } else if (kColumns == 16) {
      vst1q_u8(out, vreinterpretq_u8_s8(bytes[i]));
    } else {
      vst1_u8(out, vreinterpret_u8_s8(vget_low_s8(bytes[i])));
    }
  }
}

}  // namespace edge::requantize
