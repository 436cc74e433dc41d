// The kernels of x86 in vectors of up to 256 bits: columns are interleaved once, the rows of a quad
// or pair of a channel to a lane of 32 bits; then one dot product adds it up for as many channels
// as a vector has lanes.
#pragma once

#include "kernels/depthwise/depthwise.h"
#include "kernels/x86_vectors.h"

namespace edge::depthwise {

using namespace x86;  // of this file's flags only, all static

constexpr Layout kLayout = kBytes ? Layout::kQuads : Layout::kPairs;
constexpr size_t kCellRows = kBytes ? 4 : 2;
constexpr size_t kBlock = 16;         // channels
constexpr size_t kCell = 4 * kGroup;  // bytes of an interleaved quad or pair
constexpr size_t kBlockCell = 4 * kBlock;
constexpr size_t kPixels = 4;  // computed together

namespace {

// kLanes channels of one row of output or two.
struct Part {
  const BlockHeader* header;
  const int32_t* b;        // and c, scale, offset, kBlock apart
  const uint8_t* weights;  // of the first row: [width][cells][kBlock][4 bytes]
  size_t row_weights;      // bytes
  const uint8_t* columns;
  const int32_t* ones;  // kBytes: [cells], 1 in the bytes of rows inside of the first row's window
  size_t channels;
  int32_t* acc;  // of the first row and pixel
  size_t acc_row;
  uint8_t* out;
};

}  // namespace

// 16 channels of the rows from `first` on. Behind the last row of the column any values do: their
// weights are zero.
static inline void interleave_cell(const void* const* x, size_t first, size_t column_rows,
                                   size_t channel, __m128i flips, uint8_t* to) {
  __m128i row[kCellRows];
#pragma GCC unroll 4
  for (size_t j = 0; j < kCellRows; ++j) {
    const size_t source = first + j < column_rows ? first + j : column_rows - 1;
    const uint8_t* from = static_cast<const uint8_t*>(x[source]) + channel;
    row[j] = _mm_xor_si128(flips, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  __m128i low = _mm_unpacklo_epi8(row[0], row[1]), high = _mm_unpackhi_epi8(row[0], row[1]);
  __m128i* out = reinterpret_cast<__m128i*>(to);
  if (kBytes) {
    const __m128i low23 = _mm_unpacklo_epi8(row[kCellRows - 2], row[kCellRows - 1]);
    const __m128i high23 = _mm_unpackhi_epi8(row[kCellRows - 2], row[kCellRows - 1]);
    _mm_store_si128(out, _mm_unpacklo_epi16(low, low23));
    _mm_store_si128(out + 1, _mm_unpackhi_epi16(low, low23));
    _mm_store_si128(out + 2, _mm_unpacklo_epi16(high, high23));
    _mm_store_si128(out + 3, _mm_unpackhi_epi16(high, high23));
  } else {
    const __m128i none = _mm_setzero_si128();
    _mm_store_si128(out, _mm_unpacklo_epi8(low, none));
    _mm_store_si128(out + 1, _mm_unpackhi_epi8(low, none));
    _mm_store_si128(out + 2, _mm_unpacklo_epi8(high, none));
    _mm_store_si128(out + 3, _mm_unpackhi_epi8(high, none));
  }
}

// columns[column][cell][channel][4 bytes], of x'.
static void interleave(const Args& args, size_t columns, size_t column_rows) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(args.flip));
  const void* const* x = args.x;
  uint8_t* to = static_cast<uint8_t*>(args.columns);
  for (size_t column = 0; column < columns; ++column, x += column_rows) {
    for (size_t row = 0; row < column_rows; row += kCellRows, to += kCell) {
      for (size_t c = 0; c < args.count; c += kBlock) {
        interleave_cell(x, row, column_rows, args.first + c, flips, to + 4 * c);
      }
    }
  }
}

// bytes: kLanes channels of each of 4 pixels.
static inline void store(uint8_t* out, size_t pixel_bytes, Ints bytes, size_t pixels,
                         size_t channels) {
  alignas(32) uint8_t pixel[kPixels * kLanes];
  storeu(pixel, bytes);
#pragma GCC unroll 4
  for (size_t p = 0; p < kPixels; ++p) {
    if (p >= pixels) return;
    if (channels >= kLanes) {
      __builtin_memcpy(out + p * pixel_bytes, pixel + p * kLanes, kLanes);
    } else {
      for (size_t c = 0; c < channels; ++c) out[p * pixel_bytes + c] = pixel[p * kLanes + c];
    }
  }
}

// kRows rows of output. kWidth: that of the window if it is at most 4 rows high, otherwise 0.
template <size_t kRows, size_t kWidth, bool kSums>
static void run_part(const Args& args, const Part& part) {
  const Ints bias = load(part.b), c = load(part.b + kBlock);
  const float* scales = reinterpret_cast<const float*>(part.b + 2 * kBlock);
  const Floats scale = loadu_floats(scales), offset = loadu_floats(scales + kBlock);
  // Where the range ends at the zero point, what is below it needs no rounding of its own.
  const Ints sign = all32(args.output.min == args.output.zero_point ? 0 : INT32_MIN);
  const Ints zero_point = all16(args.output.zero_point);
  const Ints min = all8(args.output.min), max = all8(args.output.max);
  const Ints out_flip = all8(args.out_flip);
  const size_t width = kWidth ? kWidth : args.shape.width;
  const size_t cell_count = kWidth ? 4 / kCellRows : cells(kLayout, args.shape);
  const size_t column_bytes = cell_count * kCell;
  const size_t pixel_bytes = args.shape.stride * column_bytes;
  const size_t dilation_bytes = args.shape.dilation * column_bytes;
  const size_t pixels = args.pixels, channels = args.shape.channels, out_row = args.out_row;
  for (size_t i = 0; i < pixels; i += kPixels) {
    const uint8_t* x = part.columns + i * pixel_bytes;
    Ints sum[kRows][kPixels], all[kPixels];
#pragma GCC unroll 4
    for (size_t p = 0; p < kPixels; ++p) {
#pragma GCC unroll 2
      for (size_t j = 0; j < kRows; ++j) sum[j][p] = bias;
      all[p] = zero();
    }
    const uint8_t* weights = part.weights;
#pragma GCC unroll 3
    for (size_t fx = 0; fx < width; ++fx) {
#pragma GCC unroll 2
      for (size_t q = 0; q < cell_count; ++q, weights += kBlockCell) {
        const uint8_t* column = x + fx * dilation_bytes + q * kCell;
        Ints w[kRows];
#pragma GCC unroll 2
        for (size_t j = 0; j < kRows; ++j) w[j] = load(weights + j * part.row_weights);
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) {
          const Ints v = load(column + p * pixel_bytes);
#pragma GCC unroll 2
          for (size_t j = 0; j < kRows; ++j) dot(sum[j][p], v, w[j]);
          if (kSums) dot(all[p], v, all32(part.ones[q]));
        }
      }
    }
    const size_t left = pixels - i;
#pragma GCC unroll 2
    for (size_t j = 0; j < kRows; ++j) {
      Ints(&s)[kPixels] = sum[j];
      if (kSums) {
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) s[p] = add32(s[p], multiply32(all[p], c));
      }
      if (!part.header->finish) {
        int32_t* acc = part.acc + j * part.acc_row + i * kGroup;
#pragma GCC unroll 4
        for (size_t p = 0; p < kPixels; ++p) {
          if (p < left) storeu(acc + p * kGroup, s[p]);
        }
        continue;
      }
#pragma GCC unroll 4
      for (size_t p = 0; p < kPixels; ++p) {
        s[p] = scaled(s[p], scale, with_sign(offset, s[p], sign));
      }
      const Ints bytes = clamp8(narrow(s[0], s[1], s[2], s[3], zero_point), min, max);
      store(part.out + j * out_row + i * channels, channels, flip(bytes, out_flip), left,
            part.channels);
    }
  }
}

static void run_columns(const Args& args) {
  const Shape& shape = args.shape;
  const size_t cell_count = cells(kLayout, shape);
  const size_t columns = (args.pixels - 1) * shape.stride + (shape.width - 1) * shape.dilation + 1;
  interleave(args, columns, column_rows(kLayout, shape));
  Part part;
  part.row_weights = shape.width * cell_count * kBlockCell;
  part.acc_row = args.pixels * kGroup;
  const size_t block_bytes =
      kBlockHeader + kBlock * 4 * sizeof(int32_t) + rows_at_once(kLayout, shape) * part.row_weights;
  const bool fixed = cell_count * kCellRows == 4 && shape.width == 3;
  const unsigned rounding = round_towards_zero();
  for (size_t j = 0, rows; j < args.rows; j += rows) {
    rows = fixed && args.rows - j >= 2 ? 2 : 1;
    for (size_t c = 0; c < args.count; c += kLanes) {
      const uint8_t* block = static_cast<const uint8_t*>(args.weights) + c / kBlock * block_bytes;
      const size_t lane = c % kBlock;
      part.header = reinterpret_cast<const BlockHeader*>(block);
      part.b = reinterpret_cast<const int32_t*>(block + kBlockHeader) + lane;
      part.columns = static_cast<const uint8_t*>(args.columns) + 4 * c;
      part.channels = args.count - c;
      const auto at_row = [&](size_t row) -> const Part& {
        part.weights =
            block + kBlockHeader + kBlock * 4 * sizeof(int32_t) + row * part.row_weights + 4 * lane;
        part.acc = args.acc + row * part.acc_row + c;
        part.out = args.out + row * args.out_row + c;
        return part;
      };
      if (kBytes && part.header->sums) {
        for (size_t row = j; row < j + rows; ++row) {
          int32_t ones[kMostRows / 4] = {};
          for (size_t y = 0; y < shape.height; ++y) {
            reinterpret_cast<uint8_t*>(ones)[row * shape.row_step + y] = 1;
          }
          part.ones = ones;
          (fixed ? run_part<1, 3, true> : run_part<1, 0, true>)(args, at_row(row));
        }
      } else if (rows == 2) {
        run_part<2, 3, false>(args, at_row(j));
      } else {
        (fixed ? run_part<1, 3, false> : run_part<1, 0, false>)(args, at_row(j));
      }
    }
  }
  _mm_setcsr(rounding);
}

}  // namespace edge::depthwise
