#include "ops/support/fft.h"

#include <cmath>
#include <utility>

namespace edge {
namespace {

constexpr double kPi = 3.14159265358979323846;

Complex turn(size_t k, size_t n) {
  const double angle = -2 * kPi * static_cast<double>(k) / static_cast<double>(n);
  return {std::cos(angle), std::sin(angle)};
}

Complex times(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

}  // namespace

Fft::Fft(size_t n) : reversed_(n), turns_(n / 2) {
  for (size_t i = 1; i < n; ++i) {
    reversed_[i] = reversed_[i / 2] / 2 + (i % 2 ? static_cast<uint32_t>(n / 2) : 0);
  }
  for (size_t k = 0; k < n / 2; ++k) turns_[k] = turn(k, n);
}

void Fft::run(Complex* x) const {
  const size_t n = size();
  for (size_t i = 0; i < n; ++i) {
    if (i < reversed_[i]) std::swap(x[i], x[reversed_[i]]);
  }
  for (size_t half = 1; half < n; half *= 2) {
    const size_t step = n / (2 * half);
    for (size_t start = 0; start < n; start += 2 * half) {
      for (size_t k = 0; k < half; ++k) {
        Complex &a = x[start + k], &b = x[start + k + half];
        const Complex t = times(b, turns_[k * step]);
        b = {a.re - t.re, a.im - t.im};
        a = {a.re + t.re, a.im + t.im};
      }
    }
  }
}

RealFft::RealFft(size_t n) : n_(n), half_(n / 2 ? n / 2 : 1), turns_(n / 4 + 1) {
  for (size_t k = 0; k < turns_.size(); ++k) turns_[k] = turn(k, n);
}

// Even and odd numbers are transformed together, as real and imaginary parts z, and taken apart:
//   even[k] = (z[k] + conj(z[m - k])) / 2,  odd[k] = (z[k] - conj(z[m - k])) / 2i,  m = n / 2,
//   y[k] = even[k] + turn(k) * odd[k],      y[m - k] = conj(even[k] - turn(k) * odd[k]).
void RealFft::run(Complex* y) const {
  if (n_ == 1) {
    y[0].im = 0;
    return;
  }
  const size_t m = n_ / 2;
  half_.run(y);
  const Complex first = y[0];
  y[0] = {first.re + first.im, 0};
  y[m] = {first.re - first.im, 0};
  for (size_t k = 1; k <= m / 2; ++k) {
    const Complex a = y[k], b = y[m - k];
    const Complex even{(a.re + b.re) / 2, (a.im - b.im) / 2};
    const Complex odd{(a.im + b.im) / 2, (b.re - a.re) / 2};
    const Complex t = times(turns_[k], odd);
    y[k] = {even.re + t.re, even.im + t.im};
    y[m - k] = {even.re - t.re, t.im - even.im};
  }
}

}  // namespace edge
