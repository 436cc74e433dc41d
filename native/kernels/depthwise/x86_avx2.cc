// 16 channels in two registers; vpmaddwd adds the two products of a pair of taps.
#include <immintrin.h>

#include "kernels/depthwise/depthwise.h"

namespace edge::depthwise {

template <bool kUnsigned>
static __m256i widen(__m128i bytes) {
  return kUnsigned ? _mm256_cvtepu8_epi16(bytes) : _mm256_cvtepi8_epi16(bytes);
}

static __m128i load16(const void* x, size_t c) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const uint8_t*>(x) + c));
}

struct Sums {
  __m256i low, high;  // channels 0 .. 7 and 8 .. 15
};

// Taps with the pixels `first` and `second` and their pair of weights.
template <bool kUnsigned>
static Sums add_pair(Sums sums, __m128i first, __m128i second, const __m256i* w) {
  const __m256i low = widen<kUnsigned>(_mm_unpacklo_epi8(first, second));
  const __m256i high = widen<kUnsigned>(_mm_unpackhi_epi8(first, second));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(low, w[0]));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(high, w[1]));
  return sums;
}

// Channels c .. c + 15 of all pixels; `block` is their bias and weights. kTaps = 0: any number.
template <bool kUnsigned, size_t kTaps>
static void channels16(const Args& args, size_t c, const __m256i* block) {
  const size_t taps = kTaps == 0 ? args.shape.height * args.shape.width : kTaps;
  for (size_t i = 0; i < args.pixels; ++i) {
    const void* const* x = args.x + i * args.shape.stride * args.shape.height;
    const __m256i* w = block + 2;
    Sums sums{block[0], block[1]};
    size_t t = 0;
#pragma GCC unroll 4
    for (; t + 1 < taps; t += 2, w += 2) {
      sums = add_pair<kUnsigned>(sums, load16(x[t], c), load16(x[t + 1], c), w);
    }
    if (t < taps) {  // no partner: its weight is zero, so any values do
      const __m128i last = load16(x[t], c);
      sums = add_pair<kUnsigned>(sums, last, last, w);
    }
    __m256i* acc = reinterpret_cast<__m256i*>(args.acc + i * args.acc_stride + c);
    _mm256_storeu_si256(acc, sums.low);
    _mm256_storeu_si256(acc + 1, sums.high);
  }
}

void depthwise_x8w16_16c2_avx2(const Args& args) {
  const auto run = args.shape.height * args.shape.width == 9
                       ? (args.x_unsigned ? channels16<true, 9> : channels16<false, 9>)
                       : (args.x_unsigned ? channels16<true, 0> : channels16<false, 0>);
  const __m256i* block = static_cast<const __m256i*>(args.weights);
  const size_t block_vectors = 2 + (args.shape.height * args.shape.width + 1) / 2 * 2;
  for (size_t c = 0; c < args.shape.channels; c += 16, block += block_vectors) run(args, c, block);
}

}  // namespace edge::depthwise
