// The proof behind FloatForm. For x >= 0, with M = m * 2^(e - 31) and s = -e >= 0, double rounding
// gives at least k from x * M >= k - h on, h = 1/2 + 2^-(s+1), or 1/2 where s = 0. So it steps to k
// at x = T(k) = ceil((k - h) / M). The float form does, too, if and only if
//
//   T(k) * S + O >= k   and   (T(k) - 1) * S + O < k,   that is   a(k) <= O < a(k) + S
//
// with a(k) = k - T(k) * S. An offset O for all k exists where max a <= O < min a + S. Some scale S
// among the floats next to M nearly always has one. For x < 0 both mirror x > 0, except where
// (k - h) / M is a whole number: such columns are not proved.
#pragma once

#include <immintrin.h>

#include <cmath>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

// A vector of doubles, with whole numbers not below its own.
#if defined(__AVX512F__)
using Doubles = __m512d;
static inline Doubles up(Doubles v) { return _mm512_roundscale_pd(v, _MM_FROUND_CEIL); }
#elif defined(__AVX2__)
using Doubles = __m256d;
static inline Doubles up(Doubles v) { return _mm256_ceil_pd(v); }
#else
using Doubles = __m128d;
static inline Doubles up(Doubles v) { return _mm_ceil_pd(v); }
#endif
constexpr size_t kLanes = sizeof(Doubles) / sizeof(double);

// Greatest x that converts to float without rounding; up to there k - T(k) * S is exact in double.
constexpr double kExact = 1 << 24;
// So near to a whole number that a division in double may have missed it.
constexpr double kDoubt = 0x1p-24;

namespace {

struct Columns {
  alignas(64) double inverse[kLanes];  // 1 / M
  alignas(64) double lead[kLanes];     // h / M
  alignas(64) double end[kLanes];      // the last k of interest; below 1: none
  alignas(64) double scale[kLanes];    // S
};

struct Steps {
  alignas(64) double least[kLanes], most[kLanes];        // of a(k)
  alignas(64) double shortest[kLanes], longest[kLanes];  // of T(k) - (k - h) / M
  alignas(64) double last[kLanes];                       // T(end)
};

}  // namespace

static void follow_steps(const Columns& c, Steps* steps) {
  const auto load = [](const double* p) { return *reinterpret_cast<const Doubles*>(p); };
  const auto store = [](double* p, Doubles v) { *reinterpret_cast<Doubles*>(p) = v; };
  const auto min = [](Doubles a, Doubles b) { return a < b ? a : b; };
  const auto max = [](Doubles a, Doubles b) { return a > b ? a : b; };
  const Doubles inverse = load(c.inverse), lead = load(c.lead), scale = load(c.scale);
  const Doubles end = load(c.end), none = {};
  Doubles least = none + 2, most = none - 2, shortest = none + 0.5, longest = shortest, last = none;
  double most_steps = 0;
  for (double k : c.end) most_steps = k > most_steps ? k : most_steps;
  for (double all = 1; all <= most_steps; ++all) {
    const Doubles k = min(end, none + all);  // columns with fewer steps repeat their last one
    const Doubles v = k * inverse - lead;
    last = up(v);
    const Doubles rest = last - v, a = k - last * scale;
    least = min(a, least);
    most = max(a, most);
    shortest = min(rest, shortest);
    longest = max(rest, longest);
  }
  store(steps->least, least);
  store(steps->most, most);
  store(steps->shortest, shortest);
  store(steps->longest, longest);
  store(steps->last, last);
}

static FloatForm choose(const Columns& c, const Steps& s, size_t i) {
  const float scale = static_cast<float>(c.scale[i]);
  if (c.end[i] < 1) return {scale, 0.5f, true};
  float offset = static_cast<float>(s.most[i]);
  if (static_cast<double>(offset) < s.most[i]) offset = std::nextafterf(offset, 1.0f);
  const bool apart = s.shortest[i] > kDoubt && s.longest[i] < 1 - kDoubt && s.last[i] < kExact;
  const bool between = offset >= 0 && static_cast<double>(offset) < s.least[i] + c.scale[i];
  return {scale, offset, apart && between};
}

// Columns whose result is the same for all accumulators: pruned ones, whose biases may be too large
// for a float.
static bool is_constant(int32_t m, int32_t e, const Bounds& bounds, int32_t reach,
                        FloatForm* form) {
  if (bounds.low < INT32_MIN || bounds.high > INT32_MAX) return false;
  const auto result = [&](double x) {
    const int32_t r = double_round(static_cast<int32_t>(x), m, e);
    return r < -reach ? -reach : r > reach ? reach : r;
  };
  const int32_t r = result(bounds.low);
  if (result(bounds.high) != r) return false;
  // Results other than 0 have x's sign; a negative offset keeps its own, with x's or without.
  *form = {0, static_cast<float>(r), true};
  return true;
}

static void find(const int32_t* multiplier, const int32_t* exponent, const Bounds* bounds,
                 size_t cols, int32_t reach, FloatForm* forms) {
  for (size_t first = 0; first < cols; first += kLanes, forms += kLanes) {
    Columns c;
    bool open[kLanes] = {};
    float nearest[kLanes] = {};
    for (size_t i = 0; i < kLanes; ++i) {
      c.inverse[i] = c.lead[i] = c.end[i] = 0;
      if (first + i >= cols) continue;
      const int32_t m = multiplier[first + i], e = exponent[first + i];
      const double real = std::ldexp(static_cast<double>(m), e - 31);
      nearest[i] = static_cast<float>(real);
      forms[i] = {0, 0, m == 0};
      // Left shifts wrap, and multipliers next to 1 reach the end of int32: left to the integers.
      open[i] = m > 0 && e <= 0 && (e < 0 || m < INT32_MAX - 1024);
      if (!open[i]) continue;
      open[i] = !is_constant(m, e, bounds[first + i], reach, &forms[i]);
      if (!open[i]) continue;
      c.inverse[i] = 1 / real;
      c.lead[i] = (e < 0 ? 0.5 + std::ldexp(0.5, e) : 0.5) / real;
      // What twice the greatest accumulator reaches.
      c.end[i] = std::floor((2 * magnitude(bounds[first + i]) + 2 + c.lead[i]) * real);
      c.end[i] = c.end[i] < reach ? c.end[i] : reach;
    }
    constexpr int kUlps[] = {0, 1, -1, 2, -2};
    for (int ulps : kUlps) {
      bool any = false;
      for (size_t i = 0; i < kLanes; ++i) {
        float scale = nearest[i];
        for (int u = ulps; u != 0; u += u < 0 ? 1 : -1) {
          scale = std::nextafterf(scale, u < 0 ? 0.0f : 1.0f);
        }
        c.scale[i] = static_cast<double>(scale);
        any |= open[i];
      }
      if (!any) break;
      Steps steps;
      follow_steps(c, &steps);
      for (size_t i = 0; i < kLanes; ++i) {
        if (!open[i]) continue;
        forms[i] = choose(c, steps, i);
        open[i] = !forms[i].proved;
      }
    }
  }
}

}  // namespace edge::requantize
