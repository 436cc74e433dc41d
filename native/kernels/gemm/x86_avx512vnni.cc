// 6 rows x 64 columns in 24 registers; vpdpbusd adds four products of a uint8 and an int8 at once.
#include <immintrin.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr size_t kMr = 6;
constexpr size_t kNr = 64;

// int8 pixels become uint8 by their flipped sign bit.
void gemm_x8w8_6x64c4_avx512vnni_load(const LoadArgs& args) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.x_unsigned ? 0 : 0x80));
  int32_t* sums =
      reinterpret_cast<int32_t*>(static_cast<uint8_t*>(args.loaded) + kMr * args.loaded_stride);
  for (size_t i = 0; i < args.rows; ++i) {
    uint8_t* loaded = static_cast<uint8_t*>(args.loaded) + i * args.loaded_stride;
    __m512i sum = _mm512_setzero_si512();
    for (size_t t = 0; t < args.taps; ++t, loaded += args.depth) {
      const uint8_t* x = static_cast<const uint8_t*>(args.x[t * kMr + i]);
      for (size_t k = 0; k < args.depth; k += 64) {
        const size_t left = args.depth - k;
        const __mmask64 mask = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
        const __m512i v = _mm512_maskz_mov_epi8(
            mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + k), flip));
        sum = _mm512_add_epi64(sum, _mm512_sad_epu8(v, _mm512_setzero_si512()));
        _mm512_mask_storeu_epi8(loaded + k, mask, v);
      }
    }
    alignas(64) int64_t lanes[8];
    _mm512_store_si512(lanes, sum);
    int64_t total = 0;
    for (int64_t lane : lanes) total += lane;
    sums[i] = static_cast<int32_t>(total);
  }
}

// acc += the products of four uint8 of x and four int8 of w in each lane. GCC 12 spills the
// accumulators around its intrinsic.
[[gnu::always_inline]] static inline void multiply_add(__m512i& acc, __m512i x, __m512i w) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
}

static __m512i broadcast_quad(const uint8_t* x) {
  int32_t quad;
  __builtin_memcpy(&quad, x, sizeof quad);
  return _mm512_set1_epi32(quad);
}

// One panel for kRows rows, its first kVectors * 16 columns.
template <int kRows, int kVectors>
static void tile(const Args& args, const uint8_t* panel, int32_t* acc) {
  const uint8_t* x = static_cast<const uint8_t*>(args.loaded);
  const size_t depth = args.depth, stride = args.loaded_stride;
  const int32_t* sums = reinterpret_cast<const int32_t*>(x + kMr * stride);
  const int32_t* bias = reinterpret_cast<const int32_t*>(panel);
  __m512i sum[kRows][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m512i start = _mm512_load_si512(bias + v * 16);
    const __m512i c = _mm512_load_si512(bias + kNr + v * 16);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) sum[i][v] = start;
    if (_mm512_test_epi32_mask(c, c) != 0) {
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        sum[i][v] = _mm512_add_epi32(start, _mm512_mullo_epi32(c, _mm512_set1_epi32(sums[i])));
      }
    }
  }
  const uint8_t* w = panel + 2 * kNr * sizeof(int32_t);
  for (size_t k = 0; k < depth; k += 4, w += 4 * kNr, x += 4) {
    __m512i b[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) b[v] = _mm512_load_si512(w + v * 64);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m512i a = broadcast_quad(x + static_cast<size_t>(i) * stride);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) multiply_add(sum[i][v], a, b[v]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_si512(acc + static_cast<size_t>(i) * args.acc_stride + v * 16, sum[i][v]);
    }
  }
}

template <int kRows>
static void panels(const Args& args) {
  const size_t panel_bytes = kNr * (2 * sizeof(int32_t) + (args.depth + 3) / 4 * 4);
  const uint8_t* panel = static_cast<const uint8_t*>(args.weights);
  for (size_t n = 0; n < args.cols; n += kNr, panel += panel_bytes) {
    const size_t cols = args.cols - n;
    const auto run = cols > 48   ? tile<kRows, 4>
                     : cols > 32 ? tile<kRows, 3>
                     : cols > 16 ? tile<kRows, 2>
                                 : tile<kRows, 1>;
    run(args, panel, args.acc + n);
  }
}

void gemm_x8w8_6x64c4_avx512vnni(const Args& args) {
  static void (*const kPanels[])(const Args&) = {panels<1>, panels<2>, panels<3>,
                                                 panels<4>, panels<5>, panels<6>};
  kPanels[args.rows - 1](args);
}

}  // namespace edge::gemm
