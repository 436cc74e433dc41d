// Convolution and fully connected as products over rows of pixels: the parts that CONV_2D,
// TRANSPOSE_CONV and FULLY_CONNECTED share. The weights are packed here, once, for any number of
// sessions.
#pragma once

#include <memory>
#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/wide.h"
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
  std::vector<int64_t> bias;  // of int16, as is
  gemm::WideLayer wide{};
};

// Where results lie in the output, in pixels: pixel x of row y of picture b at first + b * picture
// + y * row + x * step.
struct Placement {
  size_t first = 0, step = 1, row = 0, picture = 0;
  bool dense = true;  // one behind the other; nothing else counts
};

// Which of the node's inputs are what.
struct Operands {
  size_t x = 0, w = 1, bias = 2;
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
  Placement placement;
  std::vector<std::unique_ptr<MatrixGroup>> groups;
};

struct MatrixSpec {
  Operands operands;
  const uint8_t* weights = nullptr;   // [out][taps][depth]; null: the constant's
  bool symmetric_weights = false;     // their zero point does not count
  DType bias_type = DType::kFloat32;  // of int16 without a bias: int32 where sums have 32 bits
  requantize::Rule rule = requantize::Rule::kDoubleRounding;
  Activation activation = Activation::kNone;
  size_t groups = 1;
  size_t taps = 1;
  bool convolution = true;
  bool asymmetric = false;  // codes of hybrid inputs; convolutions decide by themselves
};

// Checks what CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED have in common: types
// of the operands and output 0, and their quantization; `channel_axis` is the weights' axis of
// output channels.
Status check_weighted(const OpView& op, int channel_axis, const Operands& operands = {});

// The real multiplier of output channel c, as TFLite takes it: double(sx) * sw / sy for int8 and
// int16, for uint8 convolutions with the product in float.
double output_scale(const OpView& op, size_t channel, bool float_product,
                    const Operands& operands = {});

// What int16 layers need: biases in 64 bits (zeros where there is none), whether sums are to wrap
// at 32 bits, and of which rule the results are. TFLite takes the width of its sums from the bias,
// or from an option where there is none.
struct WideRule {
  std::vector<int64_t> bias;
  bool wraps = false;
  requantize::Rule rule = requantize::Rule::kWideReduced;
};
WideRule wide_rule(const OpView& op, const MatrixSpec& spec, size_t channels);
// Multiplier, exponent and scale of one channel.
Status append_multiplier(const OpView& op, const WideRule& rule, const Operands& operands,
                         size_t channel, std::vector<int32_t>* multiplier,
                         std::vector<int32_t>* exponent, std::vector<double>* scale);

// Which channels have a weight scale below zero, or null where none has. Real files have such
// scales: then the accumulator is negated instead, so that multipliers stay positive. The reference
// rounds the product of both, which is the same number.
std::unique_ptr<bool[]> negative_scales(const OpView& op, size_t channels,
                                        const Operands& operands = {});

// For prepare(): weights and biases are known, as many as there are channels.
Status expect_known_weights(const OpView& op, const MatrixSpec& spec, size_t channels);

// Fills everything but the picture, `depth`, `out_channels` and `placement`.
Status prepare_matrix(PrepareContext& op, const MatrixSpec& spec, Matrix* matrix);
// `input`: the node's number of x.
void run_matrix(const EvalContext& run, const Matrix& matrix, size_t input = 0);
// OpDef::eval_rows; the state is a Matrix.
void run_matrix_rows(const void* state, const Rows& in, int first, int last, uint8_t* out,
                     uint8_t* scratch);

}  // namespace edge
