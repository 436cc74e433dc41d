// Convolution and fully connected as products over rows of pixels: the parts that CONV_2D and
// FULLY_CONNECTED share. The weights are packed here, once, for any number of sessions.
#pragma once

#include <memory>
#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/op.h"
#include "ops/support/hybrid.h"
#include "ops/support/quantize.h"
#include "ops/support/windows.h"

namespace edge {

// A block of out_cols columns of the output; grouped convolution has one a group.
struct MatrixGroup {
  Arena packed;
  std::vector<int32_t> multiplier, exponent;
  std::vector<double> scale;
  gemm::Layer layer{};
  gemm_f32::Layer layer_f32{};
};

struct Matrix {
  DType dtype = DType::kInt8;      // of input and output
  std::unique_ptr<Hybrid> hybrid;  // float input and output, 8-bit weights
  Windows windows;
  size_t depth = 0;  // input channels of a group
  size_t out_channels = 0, group_cols = 0;
  size_t mr = 1, nr = 1;
  // Scratch memory: the kernel's part ends at `copies`, copied windows follow up to `pointers`.
  size_t copies = 0, pointers = 0;
  std::vector<std::unique_ptr<MatrixGroup>> groups;
};

struct MatrixSpec {
  requantize::Rule rule = requantize::Rule::kDoubleRounding;
  Activation activation = Activation::kNone;
  size_t groups = 1;
  size_t taps = 1;
  bool convolution = true;
  bool asymmetric = false;  // codes of hybrid inputs; convolutions decide by themselves
};

// Checks what CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED have in common: types of input 0,
// weights 1, bias 2 and output 0, and their quantization; `channel_axis` is the weights' axis of
// output channels.
Status check_weighted(const OpView& op, int channel_axis);

// The real multiplier of output channel c, as TFLite takes it: double(sx) * sw / sy for int8,
// for uint8 convolutions with the product in float.
double output_scale(const OpView& op, size_t channel, bool float_product);

// Which channels have a weight scale below zero, or null where none has. Real files have such
// scales: then the accumulator is negated instead, so that multipliers stay positive. The reference
// rounds the product of both, which is the same number.
std::unique_ptr<bool[]> negative_scales(const OpView& op, size_t channels);

// Fills everything but the picture, `depth` and `out_channels`; weights are [out][taps][depth].
Status prepare_matrix(PrepareContext& op, const MatrixSpec& spec, Matrix* matrix);
void run_matrix(const EvalContext& run, const Matrix& matrix);
// OpDef::eval_rows; the state is a Matrix.
void run_matrix_rows(const void* state, const Rows& in, int first, int last, uint8_t* out,
                     uint8_t* scratch);

}  // namespace edge
