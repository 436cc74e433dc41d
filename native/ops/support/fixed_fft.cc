#include "ops/support/fixed_fft.h"

#include <cmath>

namespace edge {
namespace {

using Value = FixedRealFft::Value;
constexpr double kPi = 3.14159265358979323846;

int16_t wrap(int32_t v) { return static_cast<int16_t>(v); }

// Products of numbers with 15 binary digits behind the point, rounded half up.
int16_t rounded(int32_t product) { return wrap((product + (1 << 14)) >> 15); }

Value divided(Value v, int32_t by) {
  const int32_t share = INT16_MAX / by;
  return {rounded(v.re * share), rounded(v.im * share)};
}
Value times(Value a, Value b) {
  return {rounded(a.re * b.re - a.im * b.im), rounded(a.re * b.im + a.im * b.re)};
}
Value sum(Value a, Value b) { return {wrap(a.re + b.re), wrap(a.im + b.im)}; }
Value difference(Value a, Value b) { return {wrap(a.re - b.re), wrap(a.im - b.im)}; }

Value turn(double angle) {
  const auto fixed = [](double v) { return static_cast<int16_t>(std::floor(0.5 + INT16_MAX * v)); };
  return {fixed(std::cos(angle)), fixed(std::sin(angle))};
}

}  // namespace

FixedRealFft::FixedRealFft(size_t n) : n_(n) {
  const double m = static_cast<double>(n / 2);
  for (size_t i = 0; i < n / 2; ++i) turns_.push_back(turn(-2 * kPi * static_cast<double>(i) / m));
  for (size_t i = 1; i <= n / 4; ++i) {
    last_turns_.push_back(turn(-kPi * (static_cast<double>(i) / m + 0.5)));
  }
}

void FixedRealFft::join2(Value* out, size_t stride, size_t m) const {
  for (size_t k = 0; k < m; ++k) {
    const Value a = divided(out[k], 2), b = times(divided(out[k + m], 2), turns_[k * stride]);
    out[k] = sum(a, b);
    out[k + m] = difference(a, b);
  }
}

void FixedRealFft::join4(Value* out, size_t stride, size_t m) const {
  for (size_t k = 0; k < m; ++k) {
    const Value a = divided(out[k], 4);
    const Value b = times(divided(out[k + m], 4), turns_[k * stride]);
    const Value c = times(divided(out[k + 2 * m], 4), turns_[k * stride * 2]);
    const Value d = times(divided(out[k + 3 * m], 4), turns_[k * stride * 3]);
    const Value even = sum(a, c), odd = sum(b, d), x = difference(a, c), y = difference(b, d);
    out[k] = sum(even, odd);
    out[k + 2 * m] = difference(even, odd);
    out[k + m] = {wrap(x.re + y.im), wrap(x.im - y.re)};
    out[k + 3 * m] = {wrap(x.re - y.im), wrap(x.im + y.re)};
  }
}

void FixedRealFft::transform(const Value* in, size_t stride, size_t n, Value* out) const {
  const size_t radix = n % 4 == 0 ? 4 : 2, m = n / radix;
  for (size_t i = 0; i < radix; ++i) {
    if (m == 1) {
      out[i] = in[i * stride];
    } else {
      transform(in + i * stride, stride * radix, m, out + i * m);
    }
  }
  return radix == 4 ? join4(out, stride, m) : join2(out, stride, m);
}

void FixedRealFft::run(const int16_t* x, Value* work, Value* y) const {
  const size_t m = n_ / 2;
  transform(reinterpret_cast<const Value*>(x), 1, m, work);
  const Value first = divided(work[0], 2);
  y[0] = {wrap(first.re + first.im), 0};
  y[m] = {wrap(first.re - first.im), 0};
  for (size_t k = 1; k <= m / 2; ++k) {
    const Value other = work[m - k];
    const Value a = divided(work[k], 2), b = divided({other.re, wrap(-other.im)}, 2);
    const Value even = sum(a, b), odd = times(difference(a, b), last_turns_[k - 1]);
    y[k] = {wrap((even.re + odd.re) >> 1), wrap((even.im + odd.im) >> 1)};
    y[m - k] = {wrap((even.re - odd.re) >> 1), wrap((odd.im - even.im) >> 1)};
  }
}

}  // namespace edge
