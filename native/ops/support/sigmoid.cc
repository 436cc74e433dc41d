#include "ops/support/sigmoid.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

namespace edge {
namespace {

// Lanes that the compiler keeps in vector registers.
constexpr size_t kLanes = 16;

// x = whole * ln 2 + rest: a polynomial of rest, its exponent raised by whole.
inline float exponential(float x) {
  x = x > -87.f ? x : -87.f;
  x = x < 88.f ? x : 88.f;
  const float scaled = x * 1.44269504f;
  const int32_t whole = static_cast<int32_t>(scaled + (scaled < 0 ? -0.5f : 0.5f));
  const float count = static_cast<float>(whole);
  const float rest = x - count * 0.693359375f + count * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  p = p * rest * rest + rest + 1.f;
  const int32_t bits = (whole + 127) * (1 << 23);
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

inline float sigmoid_of(float x) { return 1.f / (1.f + exponential(-x)); }
inline float tanh_of(float x) { return 1.f - 2.f / (1.f + exponential(2.f * x)); }

template <typename F>
void map(float* x, size_t n, const F& f) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) x[i + j] = f(x[i + j]);
  }
  for (; i < n; ++i) x[i] = f(x[i]);
}

}  // namespace

void sigmoid(float* x, size_t n) { map(x, n, sigmoid_of); }
void tanh(float* x, size_t n) { map(x, n, tanh_of); }

void activate(Activation activation, float* x, size_t n) {
  float low = -std::numeric_limits<float>::infinity(), high = -low;
  switch (activation) {
    case Activation::kTanh:
      return tanh(x, n);
    case Activation::kRelu:
      low = 0;
      break;
    case Activation::kRelu6:
      low = 0, high = 6;
      break;
    case Activation::kReluN1To1:
      low = -1, high = 1;
      break;
    default:
      return;
  }
  for (size_t i = 0; i < n; ++i) x[i] = std::min(std::max(x[i], low), high);
}

}  // namespace edge
