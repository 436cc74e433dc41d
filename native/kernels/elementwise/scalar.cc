// The definitions.
#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.h"

namespace edge::elementwise {
namespace {

using requantize::double_round;
using requantize::wrapping_add;

int32_t dr(int32_t x, const requantize::Multiplier& m) { return double_round(x, m.m, m.e); }

int32_t clamp(int32_t v, int32_t min, int32_t max) {
  v = v < min ? min : v;
  return v > max ? max : v;
}

// out[i] = clamp(DR(combine(a[i] - zero_a, b[i] - zero_b), mo) + zero_out, min, max)
template <typename T, typename Combine>
void binary8(const Args8& args, Combine combine) {
  const Params8& p = *args.params;
  const T* a = static_cast<const T*>(args.a);
  const T* b = static_cast<const T*>(args.b);
  for (size_t i = 0; i < args.n; ++i) {
    const int32_t x = combine(a[i] - p.zero_a, b[args.b_scalar ? 0 : i] - p.zero_b);
    const int32_t v = wrapping_add(dr(x, p.mo), p.zero_out);
    static_cast<T*>(args.out)[i] = static_cast<T>(clamp(v, p.min, p.max));
  }
}

template <typename T>
void add8(const Args8& args) {
  const Params8& p = *args.params;
  constexpr int32_t kFine = sizeof(T) == 1 ? 1 << 20 : 1 << 15;
  binary8<T>(args, [&p](int32_t a, int32_t b) {
    return p.sign_a * dr(a * kFine, p.ma) + p.sign_b * dr(b * kFine, p.mb);
  });
}

template <typename T>
void mul8(const Args8& args) {
  binary8<T>(args, [](int32_t a, int32_t b) { return a * b; });
}

template <typename T>
void quantize(const ConvertArgs& args) {
  constexpr int32_t kLowest = std::numeric_limits<T>::min();
  constexpr int32_t kHighest = std::numeric_limits<T>::max();
  const float* x = static_cast<const float*>(args.x);
  for (size_t i = 0; i < args.n; ++i) {
    const float v = std::round(x[i] / args.scale);
    const bool fits = v >= -0x1p31f && v < 0x1p31f;
    const int32_t q = fits ? static_cast<int32_t>(v) : INT32_MIN;
    const int32_t code = requantize::wrapping_add(q, args.zero_point);
    static_cast<T*>(args.out)[i] = static_cast<T>(clamp(code, kLowest, kHighest));
  }
}

template <typename T>
void dequantize(const ConvertArgs& args) {
  const T* q = static_cast<const T*>(args.x);
  for (size_t i = 0; i < args.n; ++i) {
    static_cast<float*>(args.out)[i] = args.scale * static_cast<float>(q[i] - args.zero_point);
  }
}

template <typename Function>
void binary_f32(const ArgsF32& args, Function f) {
  for (size_t i = 0; i < args.n; ++i) {
    float v = f(args.a[args.a_scalar ? 0 : i], args.b[args.b_scalar ? 0 : i]);
    v = v < args.min ? args.min : v;
    args.out[i] = v > args.max ? args.max : v;
  }
}

}  // namespace

void add_i8_scalar(const Args8& args) { add8<int8_t>(args); }
void add_u8_scalar(const Args8& args) { add8<uint8_t>(args); }
void add_i16_scalar(const Args8& args) { add8<int16_t>(args); }
void mul_i8_scalar(const Args8& args) { mul8<int8_t>(args); }
void mul_u8_scalar(const Args8& args) { mul8<uint8_t>(args); }

void mul_i16_scalar(const Args8& args) { mul8<int16_t>(args); }

void linear_x8_scalar(const Args8& args) {
  const Linear& p = args.params->linear;
  const uint8_t* a = static_cast<const uint8_t*>(args.a);
  const uint8_t* b = static_cast<const uint8_t*>(args.b);
  const int32_t min = static_cast<uint8_t>(args.params->min) ^ p.flip;
  const int32_t max = static_cast<uint8_t>(args.params->max) ^ p.flip;
  for (size_t i = 0; i < args.n; ++i) {
    const int32_t x = a[i] ^ p.flip, y = b[args.b_scalar ? 0 : i] ^ p.flip;
    const int32_t high = x * p.high_a + y * p.high_b, low = (x * p.low_a + y * p.low_b) >> 7;
    const int32_t v = wrapping_add(
        wrapping_add(static_cast<int32_t>(static_cast<uint32_t>(high) << 8), low), p.offset);
    static_cast<uint8_t*>(args.out)[i] =
        static_cast<uint8_t>(clamp(v >> p.shift, min, max) ^ p.flip);
  }
}

void lut_scalar(const LutArgs& args) {
  for (size_t i = 0; i < args.n; ++i) args.out[i] = args.table[args.x[i]];
}

void quantize_i8_scalar(const ConvertArgs& args) { quantize<int8_t>(args); }
void quantize_u8_scalar(const ConvertArgs& args) { quantize<uint8_t>(args); }
void quantize_i16_scalar(const ConvertArgs& args) { quantize<int16_t>(args); }
void dequantize_i8_scalar(const ConvertArgs& args) { dequantize<int8_t>(args); }
void dequantize_u8_scalar(const ConvertArgs& args) { dequantize<uint8_t>(args); }
void dequantize_i16_scalar(const ConvertArgs& args) { dequantize<int16_t>(args); }

void add_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a + b; });
}
void sub_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a - b; });
}
void mul_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a * b; });
}
void div_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a / b; });
}
void min_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a < b ? a : b; });
}
void max_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a > b ? a : b; });
}
void prelu_f32_scalar(const ArgsF32& args) {
  binary_f32(args, [](float a, float b) { return a >= 0 ? a : a * b; });
}

}  // namespace edge::elementwise
