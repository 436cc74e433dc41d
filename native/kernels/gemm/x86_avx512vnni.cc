// 6 rows x 64 columns in 24 registers; vpdpbusd adds four products of a uint8 and an int8 at once.
#include "kernels/requantize/x86_avx512vnni.h"

#include <immintrin.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

using requantize::multiply_add;
using requantize::scaled;
using requantize::with_sign;

constexpr int kMr = 6;
constexpr int kNr = 64;
constexpr int kTall = 12;

static __m512i broadcast_quad(const uint8_t* x) {
  int32_t quad;
  __builtin_memcpy(&quad, x, sizeof quad);
  return _mm512_set1_epi32(quad);
}

// Bytes of kVectors * 16 columns, of one row or of as many as fit; `cols` columns of `rows` rows
// are stored.
template <int kVectors>
static void store(uint8_t* out, size_t stride, __m512i bytes, size_t cols, size_t rows) {
  if constexpr (kVectors == 1) {
    const __m128i row[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                            _mm512_extracti32x4_epi32(bytes, 2),
                            _mm512_extracti32x4_epi32(bytes, 3)};
    const __mmask16 mask = static_cast<__mmask16>((1u << cols) - 1);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      if (i >= rows) break;
      if (cols == 16) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * stride), row[i]);
      } else {
        _mm_mask_storeu_epi8(out + i * stride, mask, row[i]);
      }
    }
  } else if constexpr (kVectors == 2) {
    const __m256i row[2] = {_mm512_castsi512_si256(bytes), _mm512_extracti64x4_epi64(bytes, 1)};
    const __mmask32 mask = static_cast<__mmask32>((uint64_t{1} << cols) - 1);
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; ++i) {
      if (i >= rows) break;
      if (cols == 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * stride), row[i]);
      } else {
        _mm256_mask_storeu_epi8(out + i * stride, mask, row[i]);
      }
    }
  } else if (cols == 64) {
    _mm512_storeu_si512(out, bytes);
  } else {
    _mm512_mask_storeu_epi8(out, (__mmask64{1} << cols) - 1, bytes);
  }
}

// kRows rows of a panel of kVectors * 16 columns.
template <int kRows, int kVectors>
static void tile(const Args& args) {
  constexpr int kWidth = kVectors * 16;
  const uint8_t* panel = static_cast<const uint8_t*>(args.panel) + kPanelHeader;
  const int32_t* bias = reinterpret_cast<const int32_t*>(panel);
  const int32_t* scale = bias + 2 * kWidth;
  __m512i sum[kRows][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m512i start = _mm512_load_si512(bias + v * 16);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) sum[i][v] = start;
  }
  if (args.sums != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512i c = _mm512_load_si512(bias + kWidth + v * 16);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        const __m512i all = _mm512_mullo_epi32(c, _mm512_set1_epi32(args.sums[i]));
        sum[i][v] = _mm512_add_epi32(sum[i][v], all);
      }
    }
  }
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.flip));
  const uint8_t* w = panel + 4 * kWidth * sizeof(int32_t);
  const void* const* pointers = args.x;
  for (size_t t = 0; t < args.taps; ++t, pointers += args.x_stride) {
    const uint8_t* x[kRows];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) x[i] = static_cast<const uint8_t*>(pointers[i]);
    for (size_t k = 0; k < args.depth; k += 4, w += 4 * kWidth) {
      __m512i b[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) b[v] = _mm512_load_si512(w + v * 64);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        const __m512i a = _mm512_xor_si512(flip, broadcast_quad(x[i] + k));
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) multiply_add(sum[i][v], a, b[v]);
      }
    }
  }
  if (args.acc != nullptr) {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        _mm512_storeu_si512(args.acc + i * kNr + v * 16, sum[i][v]);
      }
    }
    return;
  }
  // Where the range ends at the zero point, what is below it needs no rounding of its own.
  if (args.output.min == args.output.zero_point) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512 s = _mm512_load_ps(scale + v * 16), o = _mm512_load_ps(scale + kWidth + v * 16);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) sum[i][v] = scaled(sum[i][v], s, o);
    }
  } else {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512 s = _mm512_load_ps(scale + v * 16), o = _mm512_load_ps(scale + kWidth + v * 16);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) sum[i][v] = scaled(sum[i][v], s, with_sign(o, sum[i][v]));
    }
  }
  const __m512i zero_point = _mm512_set1_epi16(static_cast<int16_t>(args.output.zero_point));
  const __m512i min = _mm512_set1_epi8(static_cast<char>(args.output.min));
  const __m512i max = _mm512_set1_epi8(static_cast<char>(args.output.max));
  const __m512i out_flip = _mm512_set1_epi8(static_cast<char>(args.out_flip));
  // Packing works within 128 bits: byte 16 * l + 4 * v + j comes from lane 4 * l + j of vector v.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  constexpr int kAtOnce = kVectors > 2 ? 1 : 4 / kVectors;  // rows
#pragma GCC unroll 12
  for (int i = 0; i < kRows; i += kAtOnce) {
    __m512i v[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const int row = i + (kVectors > 2 ? 0 : j / kVectors);
      const int column = kVectors > 2 ? j : j % kVectors;
      v[j] = sum[row < kRows ? row : kRows - 1][column < kVectors ? column : kVectors - 1];
    }
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), zero_point);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), zero_point);
    __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
    bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, min), max);
    store<kVectors>(args.out + static_cast<size_t>(i) * args.out_stride, args.out_stride,
                    _mm512_xor_si512(bytes, out_flip), args.cols, static_cast<size_t>(kRows - i));
  }
}

// Lane i of the result is the sum of all lanes of v[i].
[[gnu::always_inline]] static inline __m512i sums_of(const __m512i v[16]) {
  __m512i pairs[8], quads[4], halves[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    pairs[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                                _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    quads[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(pairs[2 * i], pairs[2 * i + 1]),
                                _mm512_unpackhi_epi64(pairs[2 * i], pairs[2 * i + 1]));
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    halves[i] = _mm512_add_epi32(_mm512_shuffle_i32x4(quads[2 * i], quads[2 * i + 1], 0x88),
                                 _mm512_shuffle_i32x4(quads[2 * i], quads[2 * i + 1], 0xdd));
  }
  return _mm512_add_epi32(_mm512_shuffle_i32x4(halves[0], halves[1], 0x88),
                          _mm512_shuffle_i32x4(halves[0], halves[1], 0xdd));
}

// sum x' of 16 rows, or of `rows` where there are fewer, 64 bytes at a time.
template <bool kAll>
static __m512i add_up(const Args& args, size_t first, size_t rows) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.flip));
  __m512i sum[16] = {};
  const void* const* x = args.x + first;
  for (size_t t = 0; t < args.taps; ++t, x += args.x_stride) {
    for (size_t k = 0; k < args.depth; k += 64) {
      const size_t left = args.depth - k;
      const __mmask64 mask = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
      const __m512i ones = _mm512_maskz_set1_epi8(mask, 1);
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; ++i) {
        const uint8_t* row = static_cast<const uint8_t*>(x[kAll || i < rows ? i : 0]);
        multiply_add(sum[i], _mm512_xor_si512(_mm512_loadu_si512(row + k), flip), ones);
      }
    }
  }
  return sums_of(sum);
}

static void add_up(const Args& args) {
  size_t i = 0;
  for (; i + 16 <= args.rows; i += 16) _mm512_storeu_si512(args.acc + i, add_up<true>(args, i, 16));
  if (i == args.rows) return;
  const __mmask16 left = static_cast<__mmask16>((1u << (args.rows - i)) - 1);
  _mm512_mask_storeu_epi32(args.acc + i, left, add_up<false>(args, i, args.rows - i));
}

template <int kRows>
static void rows(const Args& args) {
  const auto run = args.cols > 48   ? tile<kRows, 4>
                   : args.cols > 32 ? tile<kRows, 3>
                   : args.cols > 16 ? tile<kRows, 2>
                                    : tile<kRows, 1>;
  run(args);
}

void gemm_x8w8_6x64c4_avx512vnni(const Args& args) {
  static void (*const kRows[kMr])(const Args&) = {rows<1>, rows<2>, rows<3>,
                                                  rows<4>, rows<5>, rows<6>};
  if (static_cast<const PanelHeader*>(args.panel)->ones) return add_up(args);
  Args tile = args;
  for (size_t i = 0; i < args.rows; i += tile.rows) {
    const size_t left = args.rows - i;
    // Narrow tiles of few rows would wait for their sums: more rows have more of them under way.
    const bool tall = args.cols <= 16 && left >= kTall && args.acc == nullptr;
    tile.rows = tall ? kTall : left < kMr ? left : kMr;
    tile.x = args.x + i;
    tile.sums = args.sums ? args.sums + i : nullptr;
    tile.out = args.out + i * args.out_stride;
    tall ? edge::gemm::tile<kTall, 1>(tile) : kRows[tile.rows - 1](tile);
  }
}

}  // namespace edge::gemm
