// 64 channels at a time: columns are interleaved once, four rows of a channel to a lane of 32 bits;
// then vpdpbusd adds up a quad of 16 channels for each column of the window.
#include "kernels/requantize/x86_avx512vnni.h"

#include <immintrin.h>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

using requantize::multiply_add;
using requantize::scaled;
using requantize::with_sign;

constexpr size_t kBlock = 16;               // channels
constexpr size_t kColumnQuad = 4 * kGroup;  // bytes of an interleaved quad
constexpr size_t kPixels = 4;               // computed together
constexpr size_t kMostQuads = kMostRows / 4 + 1;

// Lane l of 128 bits takes dwords l, l + 4, l + 8 and l + 12; its own inverse.
static __m512i transpose_dwords(__m512i v) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, v);
}

// The rows of a quad, from a channel on. Behind the last row of the column any values do: their
// weights are zero.
struct Rows {
  const uint8_t* row[4];
};

static Rows rows_of(const void* const* x, size_t first, size_t column_rows, size_t channel) {
  Rows rows;
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    const size_t source = first + j < column_rows ? first + j : column_rows - 1;
    rows.row[j] = static_cast<const uint8_t*>(x[source]) + channel;
  }
  return rows;
}

static void interleave64(const Rows& rows, uint8_t flip, uint8_t* to) {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  __m512i v[4];
#pragma GCC unroll 3
  for (size_t j = 0; j < 3; ++j) {
    v[j] = _mm512_xor_si512(flips, transpose_dwords(_mm512_loadu_si512(rows.row[j])));
  }
  v[3] = v[2];
  if (rows.row[3] != rows.row[2]) {
    v[3] = _mm512_xor_si512(flips, transpose_dwords(_mm512_loadu_si512(rows.row[3])));
  }
  const __m512i low01 = _mm512_unpacklo_epi8(v[0], v[1]);
  const __m512i high01 = _mm512_unpackhi_epi8(v[0], v[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(v[2], v[3]);
  const __m512i high23 = _mm512_unpackhi_epi8(v[2], v[3]);
  _mm512_store_si512(to, _mm512_unpacklo_epi16(low01, low23));
  _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(low01, low23));
  _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(high01, high23));
  _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(high01, high23));
}

static void interleave16(const Rows& rows, uint8_t flip, uint8_t* to) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  __m128i v[4];
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; ++j) {
    v[j] = _mm_xor_si128(flips, _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows.row[j])));
  }
  const __m128i low01 = _mm_unpacklo_epi8(v[0], v[1]), high01 = _mm_unpackhi_epi8(v[0], v[1]);
  const __m128i low23 = _mm_unpacklo_epi8(v[2], v[3]), high23 = _mm_unpackhi_epi8(v[2], v[3]);
  __m128i* out = reinterpret_cast<__m128i*>(to);
  _mm_store_si128(out, _mm_unpacklo_epi16(low01, low23));
  _mm_store_si128(out + 1, _mm_unpackhi_epi16(low01, low23));
  _mm_store_si128(out + 2, _mm_unpacklo_epi16(high01, high23));
  _mm_store_si128(out + 3, _mm_unpackhi_epi16(high01, high23));
}

// columns[column][quad][block][channel of the block][row of the quad], as uint8.
static void interleave(const Args& args, size_t columns, size_t column_rows) {
  const void* const* x = args.x;
  uint8_t* to = static_cast<uint8_t*>(args.columns);
  for (size_t column = 0; column < columns; ++column, x += column_rows) {
    for (size_t row = 0; row < column_rows; row += 4, to += kColumnQuad) {
      if (args.count > 2 * kBlock) {
        interleave64(rows_of(x, row, column_rows, args.first), args.flip, to);
        continue;
      }
      for (size_t c = 0; c < args.count; c += kBlock) {
        interleave16(rows_of(x, row, column_rows, args.first + c), args.flip, to + 4 * c);
      }
    }
  }
}

// What the rows of output of one block share.
struct Block {
  const uint8_t* header;   // then b, c, scale, offset
  const uint8_t* weights;  // of the first row: [width][quads][16][4]
  size_t row_weights;      // bytes
  const uint8_t* columns;
  // [row of output][quad]: 1 in the bytes of rows inside of its window
  const int32_t (*ones)[kMostQuads];
  size_t channels;
  int32_t* acc;  // of the first row and pixel
  size_t acc_row;
  uint8_t* out;
};

// bytes: 16 channels of each of 4 pixels.
static void store(uint8_t* out, size_t pixel_bytes, __m512i bytes, size_t pixels, size_t channels) {
  const __m128i pixel[kPixels] = {
      _mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
      _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
  if (channels == kBlock && pixels >= kPixels) {
#pragma GCC unroll 4
    for (size_t p = 0; p < kPixels; ++p) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + p * pixel_bytes), pixel[p]);
    }
    return;
  }
  const __mmask16 mask = static_cast<__mmask16>((1u << channels) - 1);
#pragma GCC unroll 4
  for (size_t p = 0; p < kPixels; ++p) {
    if (p < pixels) _mm_mask_storeu_epi8(out + p * pixel_bytes, mask, pixel[p]);
  }
}

// kRows rows of output. kWidth: that of the window if it is one quad high, otherwise 0.
template <size_t kRows, size_t kWidth, bool kSums>
static void run_block(const Args& args, const Block& block) {
  const bool finish = reinterpret_cast<const BlockHeader*>(block.header)->finish;
  const int32_t* b = reinterpret_cast<const int32_t*>(block.header + kBlockHeader);
  const __m512i bias = _mm512_load_si512(b), c = _mm512_load_si512(b + 16);
  const __m512 scale = _mm512_load_ps(b + 32), offset = _mm512_load_ps(b + 48);
  // Where the range ends at the zero point, what is below it needs no rounding of its own.
  const bool clamped = args.output.min == args.output.zero_point;
  const __m512i zero_point = _mm512_set1_epi16(static_cast<int16_t>(args.output.zero_point));
  const __m512i min = _mm512_set1_epi8(static_cast<char>(args.output.min));
  const __m512i max = _mm512_set1_epi8(static_cast<char>(args.output.max));
  const __m512i out_flip = _mm512_set1_epi8(static_cast<char>(args.out_flip));
  const size_t width = kWidth ? kWidth : args.shape.width;
  const size_t quad_count = kWidth ? 1 : cells(Layout::kQuads, args.shape);
  const size_t column_bytes = quad_count * kColumnQuad;
  const size_t pixel_bytes = args.shape.stride * column_bytes;
  const size_t dilation_bytes = args.shape.dilation * column_bytes;
  __m512i constant[kRows][kWidth ? kWidth : 1];
#pragma GCC unroll 2
  for (size_t j = 0; j < kRows; ++j) {
#pragma GCC unroll 8
    for (size_t fx = 0; fx < kWidth; ++fx) {
      constant[j][fx] = _mm512_load_si512(block.weights + j * block.row_weights + fx * 64);
    }
  }
  for (size_t i = 0; i < args.pixels; i += kPixels) {
    const uint8_t* x = block.columns + i * pixel_bytes;
    __m512i sum[kRows][kPixels], all[kRows][kPixels];
#pragma GCC unroll 8
    for (size_t p = 0; p < kRows * kPixels; ++p) {
      sum[p / kPixels][p % kPixels] = bias;
      all[p / kPixels][p % kPixels] = _mm512_setzero_si512();
    }
    const uint8_t* weights = block.weights;
#pragma GCC unroll 8
    for (size_t fx = 0; fx < width; ++fx) {
      for (size_t q = 0; q < quad_count; ++q, weights += 64) {
        const uint8_t* column = x + fx * dilation_bytes + q * kColumnQuad;
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) {
          const __m512i v = _mm512_load_si512(column + p * pixel_bytes);
#pragma GCC unroll 2
          for (size_t j = 0; j < kRows; ++j) {
            const __m512i w =
                kWidth ? constant[j][fx] : _mm512_load_si512(weights + j * block.row_weights);
            multiply_add(sum[j][p], v, w);
            if (kSums) multiply_add(all[j][p], v, _mm512_set1_epi32(block.ones[j][q]));
          }
        }
      }
    }
    if (kSums) {
#pragma GCC unroll 8
      for (size_t p = 0; p < kRows * kPixels; ++p) {
        __m512i& s = sum[p / kPixels][p % kPixels];
        s = _mm512_add_epi32(s, _mm512_mullo_epi32(all[p / kPixels][p % kPixels], c));
      }
    }
    const size_t left = args.pixels - i;
    if (!finish) {
#pragma GCC unroll 8
      for (size_t p = 0; p < kRows * kPixels; ++p) {
        int32_t* acc = block.acc + p / kPixels * block.acc_row + (i + p % kPixels) * kGroup;
        if (p % kPixels < left) _mm512_store_si512(acc, sum[p / kPixels][p % kPixels]);
      }
      continue;
    }
#pragma GCC unroll 2
    for (size_t j = 0; j < kRows; ++j) {
      __m512i(&s)[kPixels] = sum[j];
      if (clamped) {
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) s[p] = scaled(s[p], scale, offset);
      } else {
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) s[p] = scaled(s[p], scale, with_sign(offset, s[p]));
      }
      const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(s[0], s[1]), zero_point);
      const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(s[2], s[3]), zero_point);
      __m512i bytes = transpose_dwords(_mm512_packs_epi16(low, high));
      bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, min), max);
      store(block.out + j * args.out_row + i * args.shape.channels, args.shape.channels,
            _mm512_xor_si512(bytes, out_flip), left, block.channels);
    }
  }
}

void depthwise_x8w8_16c4_avx512vnni(const Args& args) {
  const Shape& shape = args.shape;
  const size_t quad_count = cells(Layout::kQuads, shape);
  const size_t columns = (args.pixels - 1) * shape.stride + (shape.width - 1) * shape.dilation + 1;
  interleave(args, columns, column_rows(Layout::kQuads, shape));
  Block block;
  block.row_weights = shape.width * quad_count * kBlock * 4;
  block.acc_row = args.pixels * kGroup;
  const size_t block_bytes = kBlockHeader + kBlock * 4 * sizeof(int32_t) +
                             rows_at_once(Layout::kQuads, shape) * block.row_weights;
  const bool fixed = quad_count == 1 && shape.width == 3;
  for (size_t j = 0; j < args.rows;) {
    const bool two = args.rows - j >= 2;
    int32_t ones[2][kMostQuads] = {};
    for (size_t k = 0; k < (two ? 2 : 1); ++k) {
      for (size_t y = 0; y < shape.height; ++y) {
        reinterpret_cast<uint8_t*>(ones[k])[(j + k) * shape.row_step + y] = 1;
      }
    }
    block.ones = ones;
    for (size_t c = 0; c < args.count; c += kBlock) {
      block.header = static_cast<const uint8_t*>(args.weights) + c / kBlock * block_bytes;
      block.weights =
          block.header + kBlockHeader + kBlock * 4 * sizeof(int32_t) + j * block.row_weights;
      block.columns = static_cast<const uint8_t*>(args.columns) + c / kBlock * 64;
      block.channels = args.count - c < kBlock ? args.count - c : kBlock;
      block.acc = args.acc + j * block.acc_row + c;
      block.out = args.out + j * args.out_row + c;
      const bool sums = reinterpret_cast<const BlockHeader*>(block.header)->sums;
      static void (*const kRuns[2][2][2])(const Args&, const Block&) = {
          {{run_block<1, 0, false>, run_block<1, 0, true>},
           {run_block<1, 3, false>, run_block<1, 3, true>}},
          {{run_block<2, 0, false>, run_block<2, 0, true>},
           {run_block<2, 3, false>, run_block<2, 3, true>}}};
      kRuns[two][fixed][sums](args, block);
    }
    j += two ? 2 : 1;
  }
}

}  // namespace edge::depthwise
