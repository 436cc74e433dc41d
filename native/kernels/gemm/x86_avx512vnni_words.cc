// 6 rows x 32 columns in 12 registers; vpdpwssd adds both products of a pair of k to a sum.
#include <immintrin.h>

#include "kernels/gemm/gemm.h"

namespace edge::gemm {

constexpr int kMr = 6;
constexpr int kNr = 32;

static __m512i broadcast_pair(const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, sizeof pair);
  return _mm512_set1_epi32(pair);
}

// kRows rows of a panel of kVectors * 16 columns.
template <int kRows, int kVectors>
static void tile(const Args& args) {
  const __m512i* bias =
      reinterpret_cast<const __m512i*>(static_cast<const uint8_t*>(args.panel) + kPanelHeader);
  __m512i sum[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_load_si512(bias + v);
  }
  const __m512i* w = bias + kVectors;
  const void* const* pointers = args.x;
  for (size_t t = 0; t < args.taps; ++t, pointers += args.x_stride) {
    const int16_t* x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) x[i] = static_cast<const int16_t*>(pointers[i]);
    for (size_t k = 0; k < args.depth; k += 2, w += kVectors) {
      __m512i b[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) b[v] = _mm512_load_si512(w + v);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const __m512i a = broadcast_pair(x[i] + k);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[i][v] = _mm512_dpwssd_epi32(sum[i][v], a, b[v]);
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(args.acc + i * kNr + v * 16, sum[i][v]);
  }
}

template <int kRows>
static void rows(const Args& args) {
  const auto run = args.cols > 16 ? tile<kRows, 2> : tile<kRows, 1>;
  run(args);
}

void gemm_x8w16_6x32c2_avx512vnni(const Args& args) {
  static void (*const kRows[kMr])(const Args&) = {rows<1>, rows<2>, rows<3>,
                                                  rows<4>, rows<5>, rows<6>};
  kRows[args.rows - 1](args);
}

}  // namespace edge::gemm
