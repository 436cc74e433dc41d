// The proof behind FloatForm. For x >= 0, with M = m * 2^(e - 31) and s = -e >= 0, double rounding
// gives at least k from x * M >= k - h on, h = 1/2 + 2^-(s+1), or 1/2 where s = 0. So it steps to k
// at x = T(k) = ceil((k - h) / M). The float form does, too, if and only if
//
//   T(k) * S + O >= k   and   (T(k) - 1) * S + O < k,   that is   a(k) <= O < a(k) + S
//
// with a(k) = k - T(k) * S. An offset O for all k exists where max a <= O < min a + S. Some scale S
// among the floats next to M nearly always has one. For x < 0 both mirror x > 0, except where
// (k - h) / M is a whole number: such columns are not proved.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {
namespace {

constexpr int kLanes = 4;
using Lanes = double __attribute__((vector_size(kLanes * sizeof(double))));

// Greatest x that converts to float without rounding.
constexpr double kExact = 1 << 24;
// Whole numbers up to kExact, divided in double, are at least this near to where they belong.
constexpr double kDoubt = 0x1p-24;

struct Column {
  double m = 0, h = 0.5, bound = 0;
  bool possible = false;
};

Column make_column(int32_t multiplier, int32_t exponent, double bound) {
  Column c;
  // Left shifts wrap, and multipliers next to 1 reach the end of int32: rare, left to the integers.
  c.possible = exponent <= 0 && (exponent < 0 || multiplier < INT32_MAX - 1024);
  c.m = std::ldexp(static_cast<double>(multiplier), exponent - 31);
  c.h = exponent < 0 ? 0.5 + std::ldexp(0.5, exponent) : 0.5;
  c.bound = bound;
  return c;
}

struct Steps {
  Lanes least, most;  // of a(k)
  Lanes near_whole;   // distance of any T(k) from a tie
  Lanes last;         // the greatest T(k) within reach
};

Steps steps(const Lanes& inverse, const Lanes& h, const Lanes& limit, const Lanes& scale,
            int32_t reach) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Lanes magic = Lanes{} + 0x1p52;  // rounds to a whole number when added
  const Lanes one = Lanes{} + 1;
  Steps s{Lanes{} + kInfinity, Lanes{} - kInfinity, one, Lanes{}};
  for (int32_t k = 1; k <= reach; ++k) {
    const Lanes v = (static_cast<double>(k) - h) * inverse;
    const auto within = v <= limit;
    Lanes t = (v + magic) - magic;
    t = t < v ? t + one : t;
    const Lanes above = t - v, below = one - above;
    const Lanes a = static_cast<double>(k) - t * scale;
    s.least = within & (a < s.least) ? a : s.least;
    s.most = within & (a > s.most) ? a : s.most;
    s.near_whole = within & (above < s.near_whole) ? above : s.near_whole;
    s.near_whole = within & (below < s.near_whole) ? below : s.near_whole;
    s.last = within ? t : s.last;
  }
  return s;
}

}  // namespace

void find_float_forms(const int32_t* multiplier, const int32_t* exponent, const double* bound,
                      size_t cols, int32_t reach, FloatForm* forms) {
  for (size_t first = 0; first < cols; first += kLanes) {
    const size_t count = std::min<size_t>(kLanes, cols - first);
    Lanes inverse = Lanes{} + 1, h = Lanes{}, limit = Lanes{} - 1;
    float nearest[kLanes] = {};
    bool open[kLanes] = {};
    for (size_t i = 0; i < count; ++i) {
      const Column c = make_column(multiplier[first + i], exponent[first + i], bound[first + i]);
      nearest[i] = static_cast<float>(c.m);
      forms[first + i] = {nearest[i], 0.5f, c.m == 0};
      open[i] = c.possible && c.m > 0;
      if (!open[i]) continue;
      inverse[i] = 1 / c.m;
      h[i] = c.h;
      // Steps far beyond the bound are never taken.
      limit[i] = 2 * c.bound + 2;
    }
    for (int ulps : {0, 1, -1, 2, -2}) {
      Lanes scale = Lanes{} + 1;
      float candidate[kLanes] = {};
      bool any = false;
      for (size_t i = 0; i < count; ++i) {
        candidate[i] = nearest[i];
        for (int u = ulps; u != 0; u += u < 0 ? 1 : -1) {
          candidate[i] = std::nextafter(candidate[i], u < 0 ? 0.0f : 1.0f);
        }
        scale[i] = static_cast<double>(candidate[i]);
        any |= open[i];
      }
      if (!any) break;
      const Steps s = steps(inverse, h, limit, scale, reach);
      for (size_t i = 0; i < count; ++i) {
        if (!open[i] || s.near_whole[i] < kDoubt || s.last[i] >= kExact) continue;
        const bool steps_at_all = s.most[i] >= s.least[i];
        float offset = steps_at_all ? static_cast<float>(s.most[i]) : 0.5f;
        if (steps_at_all && static_cast<double>(offset) < s.most[i]) {
          offset = std::nextafter(offset, 1.0f);
        }
        if (offset < 0 || (steps_at_all && static_cast<double>(offset) >= s.least[i] + scale[i])) {
          continue;
        }
        forms[first + i] = {candidate[i], offset, true};
        open[i] = false;
      }
    }
  }
}

bool prepare_finish(Finish finish, const Params& params, size_t first, size_t cols,
                    const double* bound, int32_t* out_first, int32_t* out_second) {
  if (finish == Finish::kNone || params.multiplier == nullptr) return false;
  const int32_t* multiplier = params.multiplier + first;
  const int32_t* exponent = params.exponent + first;
  if (finish == Finish::kFixed) {
    std::copy_n(multiplier, cols, out_first);
    std::copy_n(exponent, cols, out_second);
    return std::all_of(exponent, exponent + cols, [](int32_t e) { return e <= 0; });
  }
  const int32_t reach = std::max(params.max - params.zero_point, params.zero_point - params.min);
  std::vector<FloatForm> forms(cols);
  find_float_forms(multiplier, exponent, bound, cols, reach, forms.data());
  bool proved = true;
  for (size_t n = 0; n < cols; ++n) {
    proved = proved && forms[n].proved;
    std::memcpy(out_first + n, &forms[n].scale, sizeof(float));
    std::memcpy(out_second + n, &forms[n].offset, sizeof(float));
  }
  return proved;
}

}  // namespace edge::requantize
