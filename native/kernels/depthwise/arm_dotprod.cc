// 16 channels at a time: columns are interleaved once, four rows of a channel to a lane of 32 bits;
// then sdot adds up a quad of 4 channels for each column of the window.
#include "kernels/depthwise/depthwise.h"
#include "kernels/requantize/arm_neon.h"

namespace edge::depthwise {

constexpr size_t kBlock = 16;               // channels
constexpr size_t kColumnQuad = 4 * kGroup;  // bytes of an interleaved quad

// GCC 12 reorders its intrinsics until the accumulators no longer fit the registers.
[[gnu::always_inline]] static inline void dot(int32x4_t& sum, int8x16_t x, int8x16_t w) {
  __asm__ volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(w));
}

// 4 rows of 16 channels.
struct Quad {
  int8x16_t v[4];
};
[[gnu::always_inline]] static inline void interleave(const int8x16_t (&rows)[4], Quad& q) {
  const int16x8_t low01 = vreinterpretq_s16_s8(vzip1q_s8(rows[0], rows[1]));
  const int16x8_t high01 = vreinterpretq_s16_s8(vzip2q_s8(rows[0], rows[1]));
  const int16x8_t low23 = vreinterpretq_s16_s8(vzip1q_s8(rows[2], rows[3]));
  const int16x8_t high23 = vreinterpretq_s16_s8(vzip2q_s8(rows[2], rows[3]));
  q.v[0] = vreinterpretq_s8_s16(vzip1q_s16(low01, low23));
  q.v[1] = vreinterpretq_s8_s16(vzip2q_s16(low01, low23));
  q.v[2] = vreinterpretq_s8_s16(vzip1q_s16(high01, high23));
  q.v[3] = vreinterpretq_s8_s16(vzip2q_s16(high01, high23));
}

// columns[column][quad][block][channel of the block][row of the quad], as int8.
static void interleave_columns(const Args& args, size_t columns, size_t column_rows) {
  const int8x16_t flip = vdupq_n_s8(static_cast<int8_t>(args.flip));
  const void* const* x = args.x;
  int8_t* to = static_cast<int8_t*>(args.columns);
  for (size_t column = 0; column < columns; ++column, x += column_rows) {
    for (size_t row = 0; row < column_rows; row += 4, to += kColumnQuad) {
      for (size_t c = 0; c < args.count; c += kBlock) {
        int8x16_t v[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j) {
          // Behind the last row any values do: their weights are zero.
          const size_t source = row + j < column_rows ? row + j : column_rows - 1;
          const int8_t* from = static_cast<const int8_t*>(x[source]) + args.first + c;
          v[j] = veorq_s8(vld1q_s8(from), flip);
        }
        Quad q;
        interleave(v, q);
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j) vst1q_s8(to + c * 4 + j * 16, q.v[j]);
      }
    }
  }
}

// One row of output of one block.
struct Row {
  const int32_t* b;  // and c, multiplier, exponent
  requantize::Finishing finish;
  const int8_t* weights;  // of this row: [width][quads][16][4]
  const int8_t* columns;  // of this block
  const int32_t* ones;    // [quads]: 1 in the bytes of rows inside of the window
  size_t quads;
  size_t channels;  // of this block
  int32_t* acc;
  uint8_t* out;
};

// Any window, a pixel at a time, from interleaved columns.
template <bool kSums>
[[gnu::always_inline]] static inline void sum_any(const Args& args, const Row& row, const int8_t* x,
                                                  int32x4_t (&sum)[1][4]) {
  const size_t column_bytes = row.quads * kColumnQuad;
  const int8_t* weights = row.weights;
  int32x4_t all[4] = {};
  for (size_t fx = 0; fx < args.shape.width; ++fx, x += args.shape.dilation * column_bytes) {
    for (size_t q = 0; q < row.quads; ++q, weights += 64) {
      const int8x16_t ones = vreinterpretq_s8_s32(vdupq_n_s32(row.ones[q]));
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) {
        const int8x16_t column = vld1q_s8(x + q * kColumnQuad + v * 16);
        dot(sum[0][v], column, vld1q_s8(weights + v * 16));
        if (kSums) dot(all[v], column, ones);
      }
    }
  }
  if (!kSums) return;
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    sum[0][v] = vmlaq_s32(sum[0][v], all[v], vld1q_s32(row.b + kBlock + v * 4));
  }
}

template <bool kSums>
static void run_any(const Args& args, const requantize::FixedNeon& fixed, const Row& row) {
  const size_t pixel_bytes = args.shape.stride * row.quads * kColumnQuad;
  for (size_t i = 0; i < args.pixels; ++i) {
    int32x4_t sum[1][4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[0][v] = vld1q_s32(row.b + v * 4);
    sum_any<kSums>(args, row, row.columns + i * pixel_bytes, sum);
    if (row.finish == requantize::kForbidden) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) vst1q_s32(row.acc + i * kGroup + v * 4, sum[0][v]);
      continue;
    }
    int8x16_t bytes[1];
    requantize::finish_rows_neon(sum, row.b + 2 * kBlock, row.b + 3 * kBlock, fixed,
                                 requantize::narrows(fixed, row.finish), bytes);
    requantize::store_rows_neon<kBlock>(bytes, 1, row.out + i * args.shape.channels, 0,
                                        row.channels);
  }
}

// A window of three columns, one quad high, keeps its columns in registers while it slides: two
// pixels at a time, of one row or two.
struct Slide {
  const void* const* x;  // the next column
  size_t column_rows;
  size_t first;  // channel
  const int32_t* b;
  const int8_t* weights;
  size_t channels;
  uint8_t* out;
  bool narrow;
};

template <bool kFlip>
[[gnu::always_inline]] static inline void next_column(Slide& slide, Quad& q) {
  const void* const* x = slide.x;
  slide.x += slide.column_rows;
  // The fourth row, where there is none, has no weights.
  const void* const rows[4] = {x[0], x[1], x[2], x[slide.column_rows - 1]};
  int8x16_t v[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    v[j] = vld1q_s8(static_cast<const int8_t*>(rows[j]) + slide.first);
    if (kFlip) v[j] = veorq_s8(v[j], vdupq_n_s8(-128));
  }
  interleave(v, q);
}

// Column fx of the window, as two pixels see it.
template <int kColumn>
[[gnu::always_inline]] static inline void add_column(int32x4_t (&sum)[2][4], const Quad& left,
                                                     const Quad& right, const int8_t* weights) {
  int8x16_t low, high;
  __asm__ volatile("ldp %q0, %q1, [%2, %3]"
                   : "=w"(low), "=w"(high)
                   : "r"(weights), "i"(kColumn * 64));
  dot(sum[0][0], left.v[0], low);
  dot(sum[1][0], right.v[0], low);
  dot(sum[0][1], left.v[1], high);
  dot(sum[1][1], right.v[1], high);
  __asm__ volatile("ldp %q0, %q1, [%2, %3]"
                   : "=w"(low), "=w"(high)
                   : "r"(weights), "i"(kColumn * 64 + 32));
  dot(sum[0][2], left.v[2], low);
  dot(sum[1][2], right.v[2], low);
  dot(sum[0][3], left.v[3], high);
  dot(sum[1][3], right.v[3], high);
}

// kCount pixels, 1 or 2, whose window's first columns are there already: one for kStride = 2, two
// for 1, which has no c4. kWhole: 16 channels from the lowest code on that need no cutting.
template <int kStride, size_t kRows, bool kFlip, bool kWhole, int kCount>
[[gnu::always_inline]] static inline void two_pixels(const Args& args,
                                                     const requantize::FixedNeon& fixed,
                                                     Slide& slide, const Quad& c0, Quad& c1,
                                                     Quad& c2, Quad& c3, Quad& c4) {
  if (kStride == 2) next_column<kFlip>(slide, c1);
  next_column<kFlip>(slide, c2);
  if (kCount == 2) {
    next_column<kFlip>(slide, c3);
    if (kStride == 2) next_column<kFlip>(slide, c4);
  }
  const int8_t* weights = slide.weights;
  uint8_t* out = slide.out;
  const size_t channels = args.shape.channels;
#pragma GCC unroll 2
  for (size_t row = 0; row < kRows; ++row, weights += 3 * 4 * kBlock, out += args.out_row) {
    int32x4_t sum[2][4];
    requantize::start_rows_neon(slide.b, sum);
    add_column<0>(sum, c0, kStride == 1 ? c1 : c2, weights);
    add_column<1>(sum, c1, kStride == 1 ? c2 : c3, weights);
    add_column<2>(sum, c2, kStride == 1 ? c3 : c4, weights);
    const int32_t *m = slide.b + 2 * kBlock, *e = m + kBlock;
    int8x16_t bytes[2];
    if (kWhole) {
      requantize::narrow_rows_neon(sum, m, e, !slide.narrow, bytes);
      vst1q_u8(out, vreinterpretq_u8_s8(bytes[0]));
      if (kCount == 2) vst1q_u8(out + channels, vreinterpretq_u8_s8(bytes[1]));
    } else {
      requantize::finish_rows_neon(sum, m, e, fixed, slide.narrow, bytes);
      requantize::store_rows_neon<kBlock>(bytes, kCount, out, channels, slide.channels);
    }
  }
  slide.out += 2 * channels;
}

template <int kStride, size_t kRows, bool kFlip, bool kWhole>
[[gnu::always_inline]] static inline void run_slide(const Args& args,
                                                    const requantize::FixedNeon& fixed,
                                                    Slide slide) {
  Quad a, b = {}, c = {}, d = {}, e = {};
  next_column<kFlip>(slide, a);
  if (kStride == 1) next_column<kFlip>(slide, b);
  size_t left = args.pixels;
  for (; left >= 4; left -= 4) {
    two_pixels<kStride, kRows, kFlip, kWhole, 2>(args, fixed, slide, a, b, c, d, e);
    if (kStride == 1) {
      two_pixels<1, kRows, kFlip, kWhole, 2>(args, fixed, slide, c, d, a, b, e);
    } else {
      two_pixels<2, kRows, kFlip, kWhole, 2>(args, fixed, slide, e, b, c, d, a);
    }
  }
  if (left >= 2) {
    two_pixels<kStride, kRows, kFlip, kWhole, 2>(args, fixed, slide, a, b, c, d, e);
    a = kStride == 1 ? c : e;
    b = d;
  }
  if (left % 2) two_pixels<kStride, kRows, kFlip, kWhole, 1>(args, fixed, slide, a, b, c, d, e);
}

template <int kStride, size_t kRows, bool kFlip, bool kWhole>
static void run_slides(const Args& all, const requantize::FixedNeon& all_fixed,
                       size_t block_bytes) {
  // Copies, which stores to `out` cannot change.
  const Args args = all;
  const requantize::FixedNeon fixed = all_fixed;
  const size_t rows = column_rows(Layout::kQuads, args.shape);
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  for (size_t c = 0; c < args.count; c += kBlock, block += block_bytes) {
    const int32_t* b = reinterpret_cast<const int32_t*>(block + kBlockHeader);
    const bool narrow =
        requantize::narrows(fixed, reinterpret_cast<const BlockHeader*>(block)->finish);
    run_slide<kStride, kRows, kFlip, kWhole>(
        args, fixed,
        {args.x, rows, args.first + c, b, reinterpret_cast<const int8_t*>(b + 4 * kBlock),
         args.count - c < kBlock ? args.count - c : kBlock, args.out + c, narrow});
  }
}

// Whether the kernel may finish all blocks and their windows slide.
static bool slides(const Args& args, size_t block_bytes) {
  const Shape& shape = args.shape;
  if (shape.height != 3 || shape.width != 3 || shape.dilation != 1 || shape.stride > 2 ||
      args.rows > (shape.stride == 1 ? 2 : 1)) {
    return false;
  }
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  for (size_t c = 0; c < args.count; c += kBlock, block += block_bytes) {
    const BlockHeader& header = *reinterpret_cast<const BlockHeader*>(block);
    if (header.finish == requantize::kForbidden || header.sums) return false;
  }
  return true;
}

void depthwise_x8w8_16c4_dotprod(const Args& args) {
  const Shape& shape = args.shape;
  const size_t quad_count = cells(Layout::kQuads, shape);
  const auto fixed = requantize::make_fixed_neon(args.output, args.out_flip);
  const size_t row_weights = shape.width * quad_count * kBlock * 4;
  const size_t block_bytes = (kBlockHeader + kBlock * 4 * sizeof(int32_t) +
                              rows_at_once(Layout::kQuads, shape) * row_weights);
  if (slides(args, block_bytes)) {
    // Stride 1 with one row or two, stride 2. Flipped bytes come and go together: they are not
    // whole.
    static void (*const kRun[3][3])(const Args&, const requantize::FixedNeon&, size_t) = {
        {run_slides<1, 1, false, true>, run_slides<1, 1, false, false>,
         run_slides<1, 1, true, false>},
        {run_slides<1, 2, false, true>, run_slides<1, 2, false, false>,
         run_slides<1, 2, true, false>},
        {run_slides<2, 1, false, true>, run_slides<2, 1, false, false>,
         run_slides<2, 1, true, false>}};
    const bool whole = fixed.from_lowest && !fixed.cut && args.count % kBlock == 0;
    const size_t kind = args.flip != 0 ? 2 : whole ? 0 : 1;
    kRun[shape.stride == 2 ? 2 : args.rows - 1][kind](args, fixed, block_bytes);
    return;
  }
  const size_t columns = (args.pixels - 1) * shape.stride + (shape.width - 1) * shape.dilation + 1;
  interleave_columns(args, columns, column_rows(Layout::kQuads, shape));
  const uint8_t* block = static_cast<const uint8_t*>(args.weights);
  for (size_t c = 0; c < args.count; c += kBlock, block += block_bytes) {
    const BlockHeader& header = *reinterpret_cast<const BlockHeader*>(block);
    const int32_t* b = reinterpret_cast<const int32_t*>(block + kBlockHeader);
    const int8_t* weights = reinterpret_cast<const int8_t*>(b + 4 * kBlock);
    const size_t channels = args.count - c < kBlock ? args.count - c : kBlock;
    for (size_t j = 0; j < args.rows; ++j) {
      int32_t ones[kMostRows / 4] = {};
      for (size_t y = 0; y < shape.height; ++y) {
        reinterpret_cast<uint8_t*>(ones)[j * shape.row_step + y] = 1;
      }
      const Row row{b,
                    header.finish,
                    weights + j * row_weights,
                    static_cast<const int8_t*>(args.columns) + c * 4,
                    ones,
                    quad_count,
                    channels,
                    args.acc + j * args.pixels * kGroup + c,
                    args.out + j * args.out_row + c};
      (header.sums ? run_any<true> : run_any<false>)(args, fixed, row);
    }
  }
}

}  // namespace edge::depthwise
