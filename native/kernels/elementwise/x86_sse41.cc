#include "kernels/requantize/x86_sse41.h"

#include "kernels/elementwise/x86_maps.h"

namespace edge::elementwise {

void add_i8_sse41(const Args8& args) { binary8<false, Add>(args); }
void add_u8_sse41(const Args8& args) { binary8<true, Add>(args); }
void mul_i8_sse41(const Args8& args) { binary8<false, Mul>(args); }
void mul_u8_sse41(const Args8& args) { binary8<true, Mul>(args); }
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
