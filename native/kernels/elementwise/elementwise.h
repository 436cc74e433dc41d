// Maps over contiguous vectors. Broadcasting is the op's business: it cuts its operands into runs
// of n elements where each side either advances or stands still (a scalar).
//
// In every kernel `out` may be the same memory as an operand that advances.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"
#include "kernels/requantize/requantize.h"

namespace edge::elementwise {

// Arithmetic on codes of 8 and 16 bits. With DR of requantize/requantize.h and
//   A = DR((a[i] - zero_a) << k, ma), B = DR((b[i] - zero_b) << k, mb), k = 20 or 15 for int16:
//
//   kAddI8, kAddU8, kAddI16
//                   out[i] = clamp(DR(sign_a * A + sign_b * B, mo) + zero_out, min, max)
//                   ADD: signs 1, 1; SUB: 1, -1 (or -1, 1 with the operands swapped)
//   kMulI8, kMulU8, kMulI16
//                   out[i] = clamp(DR((a[i] - zero_a) * (b[i] - zero_b), mo) + zero_out, min, max)
//
//   kLinear         a sum without the roundings in between, on codes made uint8 by ^ flip:
//                   v = ((a * high_a + b * high_b) << 8) + ((a * low_a + b * low_b) >> 7) + offset
//                   out[i] = clamp(v >> shift, min ^ flip, max ^ flip) ^ flip
//                   make_linear() fills its parameters.
enum class Op8 { kAddI8, kAddU8, kAddI16, kMulI8, kMulU8, kMulI16, kLinear };

struct Linear {
  int16_t high_a, high_b;  // upper and lower 15 bits of each operand's factor
  int16_t low_a, low_b;
  int32_t offset;
  int32_t shift;
  uint8_t flip;  // 0x80 for int8, 0 for uint8
};

struct Params8 {
  int32_t zero_a, zero_b, zero_out;  // int16: 0
  int32_t sign_a, sign_b;            // add only, 1 or -1
  requantize::Multiplier ma, mb;     // add only, below 1: A + B fits an int32
  requantize::Multiplier mo;
  int32_t min, max;  // within the type's range
  Linear linear;
};

struct Args8 {
  size_t n;
  const void* a;  // [n]
  const void* b;  // [n], or one element where b_scalar
  bool b_scalar;
  void* out;  // [n]
  const Params8* params;
};

// out[i] = table[byte x[i]]: any function of one 8-bit value, int8 by its two's complement byte.
struct LutArgs {
  size_t n;
  const uint8_t* x;
  const uint8_t* table;  // [256]
  uint8_t* out;
};

// kQuantize:   out[i] = clamp(wrap32(round_half_away(x[i] / scale) + zero_point), type's range), a
//              true float division; a quotient that does not fit an int32 (infinite and NaN too)
//              counts as INT32_MIN, which a zero point below 0 wraps round to the highest code.
// kDequantize: out[i] = scale * (q[i] - zero_point), one float multiplication.
enum class Convert {
  kQuantizeI8,
  kQuantizeU8,
  kQuantizeI16,
  kDequantizeI8,
  kDequantizeU8,
  kDequantizeI16
};

struct ConvertArgs {
  size_t n;
  const void* x;
  void* out;
  float scale;
  int32_t zero_point;
};

// out[i] = clamp(a[i] <op> b[i], min, max); kMin and kMax give the second operand where one is NaN.
// kPrelu: a[i] where that is at least 0, a[i] * b[i] elsewhere.
enum class OpF32 { kAdd, kSub, kMul, kDiv, kMin, kMax, kPrelu };

struct ArgsF32 {
  size_t n;
  const float* a;
  const float* b;
  bool a_scalar;  // at most one of the two
  bool b_scalar;
  float* out;
  float min;  // -infinity where there is no activation
  float max;
};

using Run8 = void (*)(const Args8& args);
using RunLut = void (*)(const LutArgs& args);
using RunConvert = void (*)(const ConvertArgs& args);
using RunF32 = void (*)(const ArgsF32& args);

template <typename Op, typename Run>
struct Kernel {
  const char* name;
  Features needs;
  Op op;
  Run run;
};
enum class Lut { kLut };
using Kernel8 = Kernel<Op8, Run8>;
using KernelLut = Kernel<Lut, RunLut>;
using KernelConvert = Kernel<Convert, RunConvert>;
using KernelF32 = Kernel<OpF32, RunF32>;

#define BINARY8(name, needs, op) void name(const Args8& args);
#define LUT(name, needs, op) void name(const LutArgs& args);
#define CONVERT(name, needs, op) void name(const ConvertArgs& args);
#define BINARY_F32(name, needs, op) void name(const ArgsF32& args);
#include "kernels/elementwise/kernels.inc"

const Kernel8& select(Features features, Op8 op);
const KernelLut& select(Features features, Lut op);
const KernelConvert& select(Features features, Convert op);
const KernelF32& select(Features features, OpF32 op);
const Kernel8* kernels8(size_t* count);
const KernelLut* kernels_lut(size_t* count);
const KernelConvert* kernels_convert(size_t* count);
const KernelF32* kernels_f32(size_t* count);

// Fills params->linear, whether `linear` gives what `add` gives for each of the 65,536 pairs of
// codes: it nearly always does, and is several times as fast.
bool make_linear(const Kernel8& add, const Kernel8& linear, Params8* params);

}  // namespace edge::elementwise
