// Long short-term memory over a sequence, of floats with float or 8-bit weights:
//
//   g = W_g x + R_g h + b_g            for the gates i, f, c and o; W_g a + ... where there is an
//   g = g + p_g . c                    auxiliary input; i, f, o with peepholes (o sees the new c)
//   g = norm_g . (g - mean) / deviation + b_g              with layer normalization (no b_g before)
//   c = clip(sigmoid(f) . c + sigmoid(i) . act(c_g))       sigmoid(i) = 1 - sigmoid(f) without i
//   h = sigmoid(o) . act(c), or clip(P h + b) with a projection
#pragma once

#include <vector>

#include "ops/op.h"
#include "ops/support/row_product.h"

namespace edge {

// Where an op has its tensors. Behind `weights` follow in this order: W of i, f, c, o; R of the
// same; peepholes of i, f, o; biases of i, f, c, o; projection and its bias.
struct LstmInputs {
  size_t input = 0, weights = 1, output_state = 18, cell_state = 19;
  size_t norms = 0;                 // of i, f, c, o; 0: none
  size_t auxiliary = 0, extra = 0;  // an input and its weights; 0: none
  size_t input_weights(size_t gate) const { return weights + gate; }
  size_t recurrent(size_t gate) const { return weights + 4 + gate; }
  size_t peephole(size_t i) const { return weights + 8 + i; }
  size_t bias(size_t gate) const { return weights + 11 + gate; }
  size_t projection() const { return weights + 15; }
  size_t projection_bias() const { return weights + 16; }
};

struct LstmOptions {
  Activation activation = Activation::kTanh;
  float cell_clip = 0, proj_clip = 0;
  bool time_major = false, asymmetric = false, backward = false;
};

// What the shapes say; `steps` 1 where the input has 2 dimensions.
struct LstmSizes {
  size_t batches = 0, steps = 0, inputs = 0, cells = 0, outputs = 0;
  bool has_input_gate = true;
  size_t gates() const { return has_input_gate ? 4 : 3; }
  size_t first_gate() const { return has_input_gate ? 0 : 1; }
};

// Checks all tensors of an LSTM but the output: those of `gate` type (float32 or int16) and weights
// of `weights`. For integer ones biases are int32 and states int8 and int16.
Result<LstmSizes> lstm_sizes(const OpView& op, const LstmInputs& at, bool time_major);

struct Lstm {
  LstmInputs at;
  LstmOptions options;
  LstmSizes sizes;
  RowProduct input, auxiliary, recurrent, projection;
  std::vector<float> diagonal, norm, norm_bias;  // by gate
  std::vector<float> peephole;                   // of i, f, o
  size_t block = 1;                              // steps whose inputs are multiplied at once
  size_t output_width = 0;                       // of a row of the output tensor
  // Of shared scratch memory.
  size_t gates_at = 0, sums_at = 0, hidden_at = 0, product_at = 0, scratch = 0;
};

Status prepare_lstm(PrepareContext& op, const LstmInputs& at, const LstmOptions& options,
                    Lstm* lstm);
// `out`: where output 0 of the first step goes.
void run_lstm(const EvalContext& run, const Lstm& lstm, float* out);

}  // namespace edge
