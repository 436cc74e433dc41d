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
  return vmull_s8(vget_high_s8(x), vget_high_s8(w));
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
      high = vmlal_s8(high, vget_high_s8(x[1]), vget_high_s8(w[1]));
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

void depthwise_x8w8_16c1_neon(const Args& args) {
  using Run = void (*)(const Args&, const requantize::FixedNeon&, const Row&);
  static const Run kNine[2][2] = {// sums, flip
                                  {run_row<9, true, false, false>, run_row<9, true, false, true>},
                                  {run_row<9, true, true, false>, run_row<9, true, true, true>}};
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
    const bool nine = taps == 9 && shape.dilation == 1 && pairs;
    (nine ? kNine[sums][flip] : kAny[pairs][flip])(args, fixed, row);
  }
}

}  // namespace edge::depthwise
