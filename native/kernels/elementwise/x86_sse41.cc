#include "kernels/requantize/x86_sse41.h"

#include "kernels/elementwise/x86_maps.h"

namespace edge::elementwise {

void add_i8_sse41(const Args8& args) { binary8<int8_t, Add<20>>(args); }
void add_u8_sse41(const Args8& args) { binary8<uint8_t, Add<20>>(args); }
void mul_i8_sse41(const Args8& args) { binary8<int8_t, Mul>(args); }
void mul_u8_sse41(const Args8& args) { binary8<uint8_t, Mul>(args); }
void add_i16_sse41(const Args8& args) { binary8<int16_t, Add<15>>(args); }
void mul_i16_sse41(const Args8& args) { binary8<int16_t, Mul>(args); }
void linear_x8_sse41(const Args8& args) { linear(args); }
void lut_sse41(const LutArgs& args) { look_up(args); }
void quantize_i8_sse41(const ConvertArgs& args) { quantize(args, -128, 127); }
void quantize_u8_sse41(const ConvertArgs& args) { quantize(args, 0, 255); }
void dequantize_i8_sse41(const ConvertArgs& args) { dequantize<false>(args); }
void dequantize_u8_sse41(const ConvertArgs& args) { dequantize<true>(args); }
void add_f32_sse41(const ArgsF32& args) { binary_f32<add>(args); }
void sub_f32_sse41(const ArgsF32& args) { binary_f32<sub>(args); }
void mul_f32_sse41(const ArgsF32& args) { binary_f32<mul>(args); }
void div_f32_sse41(const ArgsF32& args) { binary_f32<div>(args); }
void min_f32_sse41(const ArgsF32& args) { binary_f32<min_floats>(args); }
void max_f32_sse41(const ArgsF32& args) { binary_f32<max_floats>(args); }
void prelu_f32_sse41(const ArgsF32& args) { binary_f32<prelu>(args); }

}  // namespace edge::elementwise
