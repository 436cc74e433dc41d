// 16 channels at a time, a pixel after the other: two products of int8 fit int16, so that only
// every other tap is added to the sums of 32 bits.
#include "kernels/requantize/arm_neon.h"

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

constexpr size_t kBlock = 16;

// One row of output of one block.
struct Row {
  requantize::Finishing finish;
  const int32_t* b;       // and c, multiplier, exponent
  const int8_t* weights;  // [taps][16]
  size_t first;           // channel
  size_t channels;
  int32_t* acc;
  uint8_t* out;
};

[[gnu::always_inline]] static inline int16x8_t multiply_low(int8x16_t x, int8x16_t w) {
  return vmull_s8(vget_low_s8(x), vget_low_s8(w));
}
[[gnu::always_inline]] static inline int16x8_t multiply_high(int8x16_t x, int8x16_t w) {
  return vmull_high_s8(x, w);
}
[[gnu::always_inline]] static inline void add_words(int32x4_t (&sum)[4], int16x8_t low,
                                                    int16x8_t high) {
  sum[0] = vaddw_s16(sum[0], vget_low_s16(low));
  sum[1] = vaddw_s16(sum[1], vget_high_s16(low));
  sum[2] = vaddw_s16(sum[2], vget_low_s16(high));
  sum[3] = vaddw_s16(sum[3], vget_high_s16(high));
}

// One or two taps.
template <bool kPairs>
[[gnu::always_inline]] static inline void add_taps(int32x4_t (&sum)[4], const int8x16_t (&x)[2],
                                                   const int8x16_t (&w)[2], size_t count) {
  int16x8_t low = multiply_low(x[0], w[0]), high = multiply_high(x[0], w[0]);
  if (count == 2) {
    if (kPairs) {
      low = vmlal_s8(low, vget_low_s8(x[1]), vget_low_s8(w[1]));
      high = vmlal_high_s8(high, x[1], w[1]);
    } else {
      add_words(sum, low, high);
      low = multiply_low(x[1], w[1]);
      high = multiply_high(x[1], w[1]);
    }
  }
  add_words(sum, low, high);
}

// kTaps: of a window whose columns lie beside each other; 0: any.
template <size_t kTaps, bool kPairs, bool kSums, bool kFlip>
static void run_row(const Args& args, const requantize::FixedNeon& all_fixed, const Row& all_row) {
  // Copies, which stores to `out` cannot change.
  const requantize::FixedNeon fixed = all_fixed;
  const Row row = all_row;
  const Shape shape = args.shape;
  const size_t height = shape.height, taps = kTaps ? kTaps : height * shape.width;
  const bool narrow = requantize::narrows(fixed, row.finish);
  int8x16_t nine[kTaps ? kTaps : 1];
#pragma GCC unroll 9
  for (size_t t = 0; t < kTaps; ++t) nine[t] = vld1q_s8(row.weights + t * kBlock);
  const void* const* pixel = args.x;
  uint8_t* out = row.out;
  for (size_t i = 0, pixels = args.pixels; i < pixels;
       ++i, out += shape.channels, pixel += shape.stride * height) {
    int32x4_t sum[1][4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[0][v] = vld1q_s32(row.b + v * 4);
    int16x8_t low = vdupq_n_s16(0), high = low;  // sums of x'
    size_t fy = 0;
    const void* const* x = pixel;
#pragma GCC unroll 5
    for (size_t t = 0; t < taps; t += 2) {
      const size_t count = taps - t < 2 ? 1 : 2;
      int8x16_t v[2];
#pragma GCC unroll 2
      for (size_t j = 0; j < count; ++j) {
        v[j] = vld1q_s8(static_cast<const int8_t*>(kTaps ? x[t + j] : *x) + row.first);
        if (kFlip) v[j] = veorq_s8(v[j], vdupq_n_s8(-128));
        if (kSums) {
          low = vaddw_s8(low, vget_low_s8(v[j]));
          high = vaddw_s8(high, vget_high_s8(v[j]));
        }
        if (kTaps) continue;
        ++x;
        if (++fy == height) {
          fy = 0;
          x += (shape.dilation - 1) * height;
        }
      }
      const int8x16_t w[2] = {kTaps ? nine[t] : vld1q_s8(row.weights + t * kBlock),
                              count == 1 ? v[0]
                              : kTaps    ? nine[t + 1]
                                         : vld1q_s8(row.weights + (t + 1) * kBlock)};
      add_taps<kPairs>(sum[0], v, w, count);
    }
    if (kSums) {
      int32x4_t all[4] = {};
      add_words(all, low, high);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) {
        sum[0][v] = vmlaq_s32(sum[0][v], all[v], vld1q_s32(row.b + kBlock + v * 4));
      }
    }
    if (row.finish == requantize::kForbidden) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) vst1q_s32(row.acc + i * kGroup + v * 4, sum[0][v]);
      continue;
    }
    int8x16_t bytes[1];
    requantize::finish_rows_neon(sum, row.b + 2 * kBlock, row.b + 3 * kBlock, fixed, narrow, bytes);
    requantize::store_rows_neon<kBlock>(bytes, 1, out, 0, row.channels);
  }
}

// A window of 3 x 3 keeps its columns in registers while it slides, two pixels at a time.
struct Column {
  int8x16_t v[3];
};

template <bool kFlip>
[[gnu::always_inline]] static inline void next_column(const void* const*& x, size_t first,
                                                      Column& c) {
#pragma GCC unroll 3
  for (int j = 0; j < 3; ++j) {
    c.v[j] = vld1q_s8(static_cast<const int8_t*>(x[j]) + first);
    if (kFlip) c.v[j] = veorq_s8(c.v[j], vdupq_n_s8(-128));
  }
  x += 3;
}

// Two taps of two pixels.
[[gnu::always_inline]] static inline void add_pair(int32x4_t (&sum)[2][4], int8x16_t a0,
                                                   int8x16_t b0, int8x16_t a1, int8x16_t b1,
                                                   int8x16_t wa, int8x16_t wb) {
  const int8x16_t a[2][2] = {{a0, b0}, {a1, b1}}, w[2] = {wa, wb};
  add_taps<true>(sum[0], a[0], w, 2);
  add_taps<true>(sum[1], a[1], w, 2);
}

// kCount pixels, 1 or 2, whose first columns are there already: one for kStride = 2, two for 1.
template <int kStride, bool kFlip, int kCount>
[[gnu::always_inline]] static inline void two_pixels(const Row& row,
                                                     const requantize::FixedNeon& fixed,
                                                     bool narrow, size_t channels,
                                                     const void* const*& x, uint8_t*& out,
                                                     const Column& c0, Column& c1, Column& c2,
                                                     Column& c3, Column& c4) {
  if (kStride == 2) next_column<kFlip>(x, row.first, c1);
  next_column<kFlip>(x, row.first, c2);
  if (kCount == 2) {
    next_column<kFlip>(x, row.first, c3);
    if (kStride == 2) next_column<kFlip>(x, row.first, c4);
  }
  const Column &d0 = kStride == 1 ? c1 : c2, &d1 = kStride == 1 ? c2 : c3,
               &d2 = kStride == 1 ? c3 : c4;
  const int8_t* weights = row.weights;
  __asm__ volatile("" : "+r"(weights));  // 9 registers less between the pixels
  int8x16_t w[9];
#pragma GCC unroll 9
  for (size_t t = 0; t < 9; ++t) w[t] = vld1q_s8(weights + t * kBlock);
  int32x4_t sum[2][4];
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) sum[0][v] = sum[1][v] = vld1q_s32(row.b + v * 4);
  add_pair(sum, c0.v[0], c0.v[1], d0.v[0], d0.v[1], w[0], w[1]);
  add_pair(sum, c0.v[2], c1.v[0], d0.v[2], d1.v[0], w[2], w[3]);
  add_pair(sum, c1.v[1], c1.v[2], d1.v[1], d1.v[2], w[4], w[5]);
  add_pair(sum, c2.v[0], c2.v[1], d2.v[0], d2.v[1], w[6], w[7]);
  const int8x16_t last[2][2] = {{c2.v[2], c2.v[2]}, {d2.v[2], d2.v[2]}}, w8[2] = {w[8], w[8]};
  add_taps<true>(sum[0], last[0], w8, 1);
  add_taps<true>(sum[1], last[1], w8, 1);
  int8x16_t bytes[2];
  requantize::finish_rows_neon(sum, row.b + 2 * kBlock, row.b + 3 * kBlock, fixed, narrow, bytes);
  requantize::store_rows_neon<kBlock>(bytes, kCount, out, channels, row.channels);
  out += 2 * channels;
}

template <size_t kStride, bool kFlip>
static void run_slide(const Args& args, const requantize::FixedNeon& all_fixed,
                      const Row& all_row) {
  // Copies, which stores to `out` cannot change.
  const requantize::FixedNeon fixed = all_fixed;
  const Row row = all_row;
  const bool narrow = requantize::narrows(fixed, row.finish);
  const size_t channels = args.shape.channels;
  const void* const* x = args.x;
  uint8_t* out = row.out;
  Column a, b = {}, c = {}, d = {}, e = {};
  next_column<kFlip>(x, row.first, a);
  if (kStride == 1) next_column<kFlip>(x, row.first, b);
  size_t left = args.pixels;
  for (; left >= 4; left -= 4) {
    two_pixels<kStride, kFlip, 2>(row, fixed, narrow, channels, x, out, a, b, c, d, e);
    if (kStride == 1) {
      two_pixels<1, kFlip, 2>(row, fixed, narrow, channels, x, out, c, d, a, b, e);
    } else {
      two_pixels<2, kFlip, 2>(row, fixed, narrow, channels, x, out, e, b, c, d, a);
    }
  }
  if (left >= 2) {
    two_pixels<kStride, kFlip, 2>(row, fixed, narrow, channels, x, out, a, b, c, d, e);
    a = kStride == 1 ? c : e;
    b = d;
  }
  if (left % 2) two_pixels<kStride, kFlip, 1>(row, fixed, narrow, channels, x, out, a, b, c, d, e);
}

void depthwise_x8w8_16c1_neon(const Args& args) {
  using Run = void (*)(const Args&, const requantize::FixedNeon&, const Row&);
  static const Run kNineAndSums[2] = {run_row<9, true, true, false>, run_row<9, true, true, true>};
  static const Run kAny[2][2] = {// pairs, flip
                                 {run_row<0, false, true, false>, run_row<0, false, true, true>},
                                 {run_row<0, true, true, false>, run_row<0, true, true, true>}};
  const Shape& shape = args.shape;
  const auto fixed = requantize::make_fixed_neon(args.output, args.out_flip);
  const size_t taps = shape.height * shape.width;
  const size_t bytes = kBlockHeader + kBlock * (4 * sizeof(int32_t) + taps);
  const size_t block_bytes = (bytes + 63) / 64 * 64;
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  for (size_t c = 0; c < args.count; c += kBlock, block += block_bytes) {
    const BlockHeader& header = *reinterpret_cast<const BlockHeader*>(block);
    const int32_t* b = reinterpret_cast<const int32_t*>(block + kBlockHeader);
    const Row row{header.finish,
                  b,
                  reinterpret_cast<const int8_t*>(b + 4 * kBlock),
                  args.first + c,
                  args.count - c < kBlock ? args.count - c : kBlock,
                  args.acc + c,
                  args.out + c};
    const bool flip = args.flip != 0, sums = header.sums != 0, pairs = header.pairs != 0;
    if (shape.height == 3 && shape.width == 3 && shape.dilation == 1 && shape.stride <= 2 &&
        pairs && !sums && header.finish != requantize::kForbidden) {
      static const Run kSlide[2][2] = {{run_slide<1, false>, run_slide<1, true>},
                                       {run_slide<2, false>, run_slide<2, true>}};
      kSlide[shape.stride - 1][flip](args, fixed, row);
      continue;
    }
    const bool nine = taps == 9 && shape.dilation == 1 && pairs && sums;
    (nine ? kNineAndSums[flip] : kAny[pairs][flip])(args, fixed, row);
  }
}

}  // namespace edge::depthwise
