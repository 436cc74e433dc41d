// int32 accumulators -> int8, uint8 or int16: the last step of every integer convolution.
//
//   out[i][n] = clamp(R(acc[i][n], n) + zero_point, min, max)
//
// R is one of these rules, each with its own parameters per column n:
//
//   kDoubleRounding: convolutions. R(x, n) = DR(x, multiplier[n], exponent[n]) ~ x * m * 2^(e - 31)
//
//     x' = wrap32(x << max(e, 0))
//     y  = (x' * m + 2^30) >> 31                                 64 bits; floor: half up
//     s  = max(-e, 0)
//     DR = s == 0 ? y : (y + 2^(s-1) - (y < 0)) >> s             half away from zero
//     m in [2^30, 2^31) or 0, e in [-31, 31]
//
//   kReal: fully connected. R(x, n) = round_half_away(double(x) * scale[n]), INT32_MIN where that
//   does not fit an int32, as x86 converts it.
//
//   kWideReduced: convolutions of int16. R(x, n) = floor(double(x) * scale[n] + 0.5); `scale` is
//   reduced_scale(), so that all of it is exact. kWideReal, kWideDoubleRounding: as those above.
//   Outputs of these three are int16, their zero point is 0, and results fit int32.
//
// All are those of TFLite's reference kernels, bit for bit (decision 001). The sum with the zero
// point wraps at 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::requantize {

enum class Rule { kDoubleRounding, kReal, kWideDoubleRounding, kWideReal, kWideReduced };

struct Params {
  const int32_t* multiplier = nullptr;  // [cols], rules of double rounding
  const int32_t* exponent = nullptr;    // [cols], likewise
  const double* scale = nullptr;        // [cols], the others
  int32_t zero_point = 0;
  int32_t min = -128;  // within the output type's range
  int32_t max = 127;
};

struct Args {
  size_t rows;
  size_t cols;
  const int32_t* acc;  // [rows][acc_stride]; readable up to the next multiple of 8 columns
  size_t acc_stride;
  uint8_t* out;  // [rows][out_stride], the low byte of each result; int16 for the wide rules
  size_t out_stride;
  const Params* params;
  size_t first_col;  // which of the parameters belong to column 0 of this call
};

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  Rule rule;
  Run run;
};

#define REQUANTIZE(name, needs, rule) void name(const Args& args);
#include "kernels/requantize/kernels.inc"
#undef REQUANTIZE

// The best kernel for `rule` whose needs are among `features`.
const Kernel& select(Features features, Rule rule);
const Kernel* kernels(size_t* count);

// A positive real number as m * 2^(e - 31).
struct Multiplier {
  int32_t m;
  int32_t e;
};

// TFLite's QuantizeMultiplier: m is `real`'s mantissa as a 31-bit fraction, rounded half away; 0
// for 0 and for what is below 2^-32.
Multiplier quantize_multiplier(double real);

// What TFLite makes of a multiplier where accumulators have 64 bits: its upper 15 bits, rounded,
// and the shift that goes with them: R(x) = (x * m + 2^(shift - 1)) >> shift.
struct Reduced {
  int32_t m;
  int32_t shift;  // 15 - e
};
static inline Reduced reduce(const Multiplier& multiplier) {
  const int32_t m = multiplier.m < 0x7fff0000 ? (multiplier.m + (1 << 15)) >> 16 : 0x7fff;
  return {m, 15 - multiplier.e};
}
double reduced_scale(const Multiplier& multiplier);

// The wide rules but for kWideDoubleRounding, of one sum of 64 bits. kWideReduced looks at the
// multiplier and exponent; results are cut to 32 bits as TFLite cuts them.
int16_t wide_result(Rule rule, const Params& params, int64_t acc, size_t column);

// kDoubleRounding of one column in float32, for kernels that have the accumulator in a register:
//
//   R(x) = trunc(x * scale + copysign(offset, x)), the sum exact before it is cut towards zero
//
// and, where results below 0 are cut off anyway, trunc(x * scale + offset).
//
// R is monotone and odd but for ties, so it is known from the |x| where it steps to 1, 2, ... These
// are looked at when a model is loaded; `proved` says that both formulas step alike.
struct FloatForm {
  float scale, offset;
  bool proved;
};

// What kernels of other families do to the accumulators that they hold in registers.
//   kNone   store them; another pass requantizes
//   kFloat  FloatForm, in blocks of columns where that is proved for all
//   kFixed  double_round, in blocks where all exponents are below 0 (or 0, see prepare_finish)
enum class Finish : uint8_t { kNone, kFloat, kFixed };

// The part of Params that all columns share, as such a kernel takes it: int8, so that for uint8
// outputs each is less 128 and the kernel flips the sign bits of its bytes.
struct Output {
  int32_t zero_point, min, max;
};
static inline Output int8_output(const Params& params, bool is_unsigned) {
  const int32_t less = is_unsigned ? 128 : 0;
  return {params.zero_point - less, params.min - less, params.max - less};
}

// Whether kernels may finish: not at all; they may; results and their sums with the zero point fit
// int16 as well, so that cutting off bits narrows them (kFixed only).
enum Finishing : int32_t { kForbidden, kAllowed, kNarrow };

// The accumulators of a column lie in [low, high].
struct Bounds {
  double low, high;
};
static inline double magnitude(const Bounds& b) { return -b.low > b.high ? -b.low : b.high; }

// Writes what such a kernel needs per column, [cols] scale and offset or [cols] multiplier and
// exponent, for columns [first, first + cols) of `params`.
Finishing prepare_finish(Finish finish, const Params& params, size_t first, size_t cols,
                         const Bounds* bounds, int32_t* out_first, int32_t* out_second);

// Finds it for `cols` columns, whose results beyond +-reach are cut off by the output's range
// anyway. For CPUs with kernels that use it, SSE4.1 and above.
using FindFloatForms = void(const int32_t* multiplier, const int32_t* exponent,
                            const Bounds* bounds, size_t cols, int32_t reach, FloatForm* forms);
FindFloatForms find_float_forms_sse41, find_float_forms_avx2, find_float_forms_avx512vnni;

// Kernel code that needs DR for a few values only, the definition of kDoubleRounding.
static inline int32_t double_round(int32_t x, int32_t m, int32_t e) {
  const uint32_t left = e > 0 ? static_cast<uint32_t>(e) : 0;
  const int32_t shifted = static_cast<int32_t>(static_cast<uint32_t>(x) << left);
  const int64_t y = (static_cast<int64_t>(shifted) * m + (int64_t{1} << 30)) >> 31;
  if (e >= 0) return static_cast<int32_t>(y);
  return static_cast<int32_t>((y + (int64_t{1} << (-e - 1)) - (y < 0)) >> -e);
}

// a + b without the undefined behaviour of an overflow.
static inline int32_t wrapping_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
static inline int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

}  // namespace edge::requantize
