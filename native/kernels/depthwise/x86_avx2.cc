#include "kernels/depthwise/x86_columns.h"

namespace edge::depthwise {

void depthwise_x8w16_16c2_avx2(const Args& args) { run_columns(args); }

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

static Pairs add_pairs(Pairs sums, Pairs pairs, const __m256i* w) {
  return {_mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs.low, w[0])),
          _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs.high, w[1]))};
}

// Channels c .. c + 15 of all pixels; `block` is their bias and weights. kTaps = 0: any number.
template <size_t kTaps>
static void channels16(const Args& args, size_t c, const __m256i* block) {
  const size_t taps = kTaps == 0 ? args.shape.height * args.shape.width : kTaps;
  for (size_t i = 0; i < args.pixels; ++i) {
    const void* const* x = args.x + i * args.shape.stride * args.shape.height;
    const __m256i* w = block + 2;
    Pairs sums{block[0], block[1]};
    size_t t = 0;
#pragma GCC unroll 4
    for (; t + 1 < taps; t += 2, w += 2) {
      sums = add_pairs(sums, load_pairs(x[t], x[t + 1], c), w);
    }
    // No partner: its weight is zero, so any values do.
    if (t < taps) sums = add_pairs(sums, load_pairs(x[t], x[t], c), w);
    __m256i* acc = reinterpret_cast<__m256i*>(args.acc + i * args.acc_stride + c);
    _mm256_storeu_si256(acc, _mm256_permute2x128_si256(sums.low, sums.high, 0x20));
    _mm256_storeu_si256(acc + 1, _mm256_permute2x128_si256(sums.low, sums.high, 0x31));
  }
}

void depthwise_x16w16_16c2_avx2(const Args& args) {
  const size_t taps = args.shape.height * args.shape.width;
  const auto channels = taps == 9 ? channels16<9> : channels16<0>;
  const __m256i* block = static_cast<const __m256i*>(args.weights);
  const size_t block_vectors = 2 + (taps + 1) / 2 * 2;
  for (size_t c = 0; c < args.shape.channels; c += 16, block += block_vectors) {
    channels(args, c, block);
  }
}

}  // namespace edge::depthwise
