// The kernels of x86 for int16 values and 8-bit weights: pairs of taps are interleaved as they are
// loaded, and one dot product adds a pair up for as many channels as a vector has lanes.
#pragma once

#include <immintrin.h>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

// int16 values of two taps, one channel's beside each other, every other four of 16 channels, as
// unpacking leaves them.
struct Pairs {
  __m256i low, high;
};

static Pairs load_pairs(const void* first, const void* second, size_t c) {
  const __m256i x =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const int16_t*>(first) + c));
  const __m256i y =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const int16_t*>(second) + c));
  return {_mm256_unpacklo_epi16(x, y), _mm256_unpackhi_epi16(x, y)};
}

[[gnu::always_inline]] static inline void add_pairs(Pairs& sums, Pairs pairs, const __m256i* w) {
#if defined(__AVX512VNNI__)
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sums.low) : "v"(pairs.low), "vm"(w[0]));
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sums.high) : "v"(pairs.high), "vm"(w[1]));
#elif defined(__AVXVNNI__)
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums.low) : "x"(pairs.low), "xm"(w[0]));
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums.high) : "x"(pairs.high), "xm"(w[1]));
#else
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs.low, w[0]));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs.high, w[1]));
#endif
}

// Channels c .. c + 15 of all pixels; `block` is their bias and weights. kTaps = 0: any number;
// otherwise the weights stay in registers where there are enough of them.
template <size_t kTaps>
static void channels16(const Args& args, size_t c, const __m256i* block) {
  const size_t taps = kTaps == 0 ? args.shape.height * args.shape.width : kTaps;
  const __m256i low = block[0], high = block[1];
  __m256i kept[kTaps + 2];
#pragma GCC unroll 10
  for (size_t t = 0; t < (kTaps + 1) / 2 * 2; ++t) kept[t] = block[2 + t];
  const size_t pixels = args.pixels, step = args.shape.stride * args.shape.height;
  const void* const* x = args.x;
  int32_t* acc = args.acc + c;
  for (size_t i = 0; i < pixels; ++i, x += step, acc += args.acc_stride) {
    const __m256i* w = kTaps == 0 ? block + 2 : kept;
    Pairs sums{low, high};
    size_t t = 0;
#pragma GCC unroll 4
    for (; t + 1 < taps; t += 2, w += 2) add_pairs(sums, load_pairs(x[t], x[t + 1], c), w);
    // No partner: its weight is zero, so any values do.
    if (t < taps) add_pairs(sums, load_pairs(x[t], x[t], c), w);
    __m256i* to = reinterpret_cast<__m256i*>(acc);
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(sums.low, sums.high, 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(sums.low, sums.high, 0x31));
  }
}

static void run_words(const Args& args) {
  const size_t taps = args.shape.height * args.shape.width;
  const auto channels = taps == 9 ? channels16<9> : channels16<0>;
  const __m256i* block = static_cast<const __m256i*>(args.weights);
  const size_t block_vectors = 2 + (taps + 1) / 2 * 2;
  for (size_t c = 0; c < args.shape.channels; c += 16, block += block_vectors) {
    channels(args, c, block);
  }
}

}  // namespace edge::depthwise
