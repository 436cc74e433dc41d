// 32 channels of a row of pixels at a time, then 16; weights of 9 and 25 taps stay in registers.
#include <immintrin.h>

#include "kernels/depthwise_f32/depthwise_f32.h"

namespace edge::depthwise_f32 {

// v clamped; in this order of operands a NaN stays one.
static __m512 clamp(__m512 v, const Args& args) {
  return _mm512_min_ps(_mm512_set1_ps(args.max), _mm512_max_ps(_mm512_set1_ps(args.min), v));
}

// Vector v of kVectors, of which the last has only the channels in `mask`.
template <int kVectors>
static __m512 load(const float* x, int v, __mmask16 mask) {
  return v + 1 < kVectors ? _mm512_loadu_ps(x + v * 16) : _mm512_maskz_loadu_ps(mask, x + v * 16);
}

template <int kVectors>
static void store(float* out, int v, __mmask16 mask, __m512 value) {
  _mm512_mask_storeu_ps(out + v * 16, v + 1 < kVectors ? 0xffff : mask, value);
}

namespace {  // member functions are inline, and inline ones would leak out of this file

// Of the channels from c on.
template <int kTaps, int kVectors>
struct Weights {
  __m512 bias[kVectors], w[kTaps][kVectors];

  [[gnu::always_inline]] Weights(const Args& args, size_t c, __mmask16 mask) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      bias[v] = load<kVectors>(args.bias + c, v, mask);
#pragma GCC unroll 25
      for (int t = 0; t < kTaps; ++t) {
        const float* tap = args.weights + static_cast<size_t>(t) * args.shape.channels + c;
        w[t][v] = load<kVectors>(tap, v, mask);
      }
    }
  }
};

}  // namespace

// 3x3 with windows that overlap by two columns: each column is loaded once, for three pixels.
template <int kVectors>
static void sliding(const Args& args, size_t c, __mmask16 mask) {
  const Weights<9, kVectors> weights(args, c, mask);
  __m512 last[kVectors], middle[kVectors];  // sums of the windows that end here and at the next
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) last[v] = middle[v] = weights.bias[v];
  const float* const* x = args.x;
  float* out = args.out + c;
  for (size_t column = 0; column < args.pixels + 2; ++column, x += 3) {
    __m512 first[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) first[v] = weights.bias[v];
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const __m512 pixel = load<kVectors>(x[t] + c, v, mask);
        first[v] = _mm512_fmadd_ps(pixel, weights.w[t][v], first[v]);
        middle[v] = _mm512_fmadd_ps(pixel, weights.w[3 + t][v], middle[v]);
        last[v] = _mm512_fmadd_ps(pixel, weights.w[6 + t][v], last[v]);
      }
    }
    if (column >= 2) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) store<kVectors>(out, v, mask, clamp(last[v], args));
      out += args.shape.channels;
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      last[v] = middle[v];
      middle[v] = first[v];
    }
  }
}

template <int kTaps, int kVectors>
static void block(const Args& args, size_t c, __mmask16 mask) {
  const Weights<kTaps, kVectors> weights(args, c, mask);
  const float* const* x = args.x;
  float* out = args.out + c;
  for (size_t i = 0; i < args.pixels; ++i, x += args.step, out += args.shape.channels) {
    __m512 sum[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[v] = weights.bias[v];
#pragma GCC unroll 25
    for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const __m512 pixel = load<kVectors>(x[t] + c, v, mask);
        sum[v] = _mm512_fmadd_ps(pixel, weights.w[t][v], sum[v]);
      }
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) store<kVectors>(out, v, mask, clamp(sum[v], args));
  }
}

// Any number of taps, whose weights come from memory.
static void block(const Args& args, size_t c, __mmask16 mask) {
  const size_t channels = args.shape.channels, taps = args.shape.taps;
  const __m512 bias = _mm512_maskz_loadu_ps(mask, args.bias + c);
  const float* const* x = args.x;
  for (size_t i = 0; i < args.pixels; ++i, x += args.step) {
    __m512 sum = bias;
    for (size_t t = 0; t < taps; ++t) {
      const __m512 w = _mm512_maskz_loadu_ps(mask, args.weights + t * channels + c);
      sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x[t] + c), w, sum);
    }
    _mm512_mask_storeu_ps(args.out + i * channels + c, mask, clamp(sum, args));
  }
}

void depthwise_f32_32_avx512vnni(const Args& args) {
  const size_t channels = args.shape.channels, taps = args.shape.taps;
  for (size_t c = 0; c < channels;) {
    const size_t left = channels - c;
    const bool wide = taps == 9 && left > 16;
    const size_t last = left - (wide ? 16 : 0);  // channels of the last vector
    const __mmask16 mask = static_cast<__mmask16>(last >= 16 ? 0xffff : (1u << last) - 1);
    if (taps == 9 && args.step == 3) {
      (wide ? sliding<2> : sliding<1>)(args, c, mask);
    } else if (wide) {
      block<9, 2>(args, c, mask);
    } else if (taps == 9) {
      block<9, 1>(args, c, mask);
    } else if (taps == 25) {
      block<25, 1>(args, c, mask);
    } else {
      block(args, c, mask);
    }
    c += wide ? 32 : 16;
  }
}

}  // namespace edge::depthwise_f32
