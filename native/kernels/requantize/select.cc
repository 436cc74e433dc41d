#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/requantize/requantize.h"

namespace edge::requantize {

static const Kernel kKernels[] = {
#define REQUANTIZE(name, needs, rule) {#name, needs, rule, name},
#include "kernels/requantize/kernels.inc"
#undef REQUANTIZE
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel& select(Features features, Rule rule) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if (k.rule == rule && (k.needs & ~features) == 0) best = &k;
  }
  return *best;
}

Multiplier quantize_multiplier(double real) {
  int e = 0;
  const double fraction = std::frexp(real, &e);  // [0.5, 1)
  int64_t m = static_cast<int64_t>(std::round(fraction * (int64_t{1} << 31)));
  if (m == int64_t{1} << 31) {
    m /= 2;
    ++e;
  }
  if (m == 0 || e < -31) return {0, 0};
  return {static_cast<int32_t>(m), e};
}

#if EDGE_HAVE_X86_SSE41
static FindFloatForms* find_float_forms() {
  static const Features features = detect_features();
#if EDGE_HAVE_X86_AVX512VNNI
  if (features & kAvx512Vnni) return find_float_forms_avx512vnni;
#endif
#if EDGE_HAVE_X86_AVX2
  if (features & kAvx2) return find_float_forms_avx2;
#endif
  return find_float_forms_sse41;
}
#endif
double reduced_scale(const Multiplier& multiplier) {
  const Reduced r = reduce(multiplier);
  return std::ldexp(r.m, -r.shift);
}

int16_t wide_result(Rule rule, const Params& params, int64_t acc, size_t column) {
  int32_t v;
  if (rule == Rule::kWideReal) {
    const double r = std::round(static_cast<double>(acc) * params.scale[column]);
    v = r >= -0x1p31 && r < 0x1p31 ? static_cast<int32_t>(r) : INT32_MIN;
  } else {
    const Reduced r = reduce({params.multiplier[column], params.exponent[column]});
    const uint64_t product = static_cast<uint64_t>(acc) * static_cast<uint64_t>(int64_t{r.m});
    const uint64_t sum = product + (uint64_t{1} << (r.shift - 1));
    v = static_cast<int32_t>(static_cast<int64_t>(sum) >> r.shift);
  }
  return static_cast<int16_t>(std::clamp(v, params.min, params.max));
}

Finishing prepare_finish(Finish finish, const Params& params, size_t first, size_t cols,
                         const Bounds* bounds, int32_t* out_first, int32_t* out_second) {
  if (finish == Finish::kNone || params.multiplier == nullptr) return kForbidden;
  const int32_t* multiplier = params.multiplier + first;
  const int32_t* exponent = params.exponent + first;
  if (finish == Finish::kFixed) {
    std::copy_n(multiplier, cols, out_first);
    std::copy_n(exponent, cols, out_second);
    // Where halves of negative numbers count, an exponent of 0 would need a form of its own. Sums
    // with the zero point must not wrap.
    const bool away = params.min < params.zero_point;
    double most = 0;  // of the results' magnitudes
    for (size_t n = 0; n < cols; ++n) {
      const int32_t e = exponent[n];
      const double reached = magnitude(bounds[n]);
      if (e > 0 || (e == 0 && (away || reached >= 0x1p30))) return kForbidden;
      most = std::max(most, std::ldexp(reached * multiplier[n], e - 31));
    }
    return most < INT16_MAX - 256 ? kNarrow : kAllowed;
  }
#if EDGE_HAVE_X86_SSE41
  const int32_t reach = std::max(params.max - params.zero_point, params.zero_point - params.min);
  std::vector<FloatForm> forms(cols);
  find_float_forms()(multiplier, exponent, bounds, cols, reach, forms.data());
  bool proved = true;
  for (size_t n = 0; n < cols; ++n) {
    proved = proved && forms[n].proved;
    std::memcpy(out_first + n, &forms[n].scale, sizeof(float));
    std::memcpy(out_second + n, &forms[n].offset, sizeof(float));
  }
  return proved ? kAllowed : kForbidden;
#else
  return kForbidden;
#endif
}

}  // namespace edge::requantize
