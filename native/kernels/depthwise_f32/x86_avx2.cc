// 16 channels at a time over the taps of one pixel, then 8, then one by one.
#include <immintrin.h>

#include "kernels/depthwise_f32/depthwise_f32.h"

namespace edge::depthwise_f32 {

template <int kVectors>
static void block(const Args& args, const float* const* x, float* out, size_t c) {
  const size_t channels = args.shape.channels;
  __m256 sum[kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) sum[v] = _mm256_loadu_ps(args.bias + c + v * 8);
  const float* w = args.weights + c;
  for (size_t t = 0; t < args.shape.taps; ++t, w += channels) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[v] =
          _mm256_fmadd_ps(_mm256_loadu_ps(x[t] + c + v * 8), _mm256_loadu_ps(w + v * 8), sum[v]);
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    const __m256 low = _mm256_max_ps(_mm256_set1_ps(args.min), sum[v]);
    _mm256_storeu_ps(out + c + v * 8, _mm256_min_ps(_mm256_set1_ps(args.max), low));
  }
}

void depthwise_f32_16_avx2(const Args& args) {
  const size_t channels = args.shape.channels;
  for (size_t i = 0; i < args.pixels; ++i) {
    const float* const* x = args.x + i * args.step;
    float* out = args.out + i * channels;
    size_t c = 0;
    for (; c + 16 <= channels; c += 16) block<2>(args, x, out, c);
    for (; c + 8 <= channels; c += 8) block<1>(args, x, out, c);
    for (; c < channels; ++c) {
      __m128 sum = _mm_load_ss(args.bias + c);
      for (size_t t = 0; t < args.shape.taps; ++t) {
        sum =
            _mm_fmadd_ss(_mm_load_ss(x[t] + c), _mm_load_ss(args.weights + t * channels + c), sum);
      }
      sum = _mm_min_ss(_mm_set_ss(args.max), _mm_max_ss(_mm_set_ss(args.min), sum));
      _mm_store_ss(out + c, sum);
    }
  }
}

}  // namespace edge::depthwise_f32
