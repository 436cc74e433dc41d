// A recurrent layer without gates, of floats with float or 8-bit weights:
//
//   h = act(W x + V a + R h + b)         V a: where there is an auxiliary input
#pragma once

#include "ops/op.h"
#include "ops/support/row_product.h"

namespace edge {

// Where an op has its tensors. Behind `weights` (W) follow R, b and the state.
struct RnnInputs {
  size_t input = 0, weights = 1;
  size_t auxiliary = 0, extra = 0;  // an input and its weights; 0: none
  size_t recurrent() const { return weights + 1; }
  size_t bias() const { return weights + 2; }
  size_t state() const { return weights + 3; }
};

struct RnnOptions {
  Activation activation = Activation::kNone;
  bool time_major = false, asymmetric = false, backward = false;
};

// What the shapes say; `steps` 1 where the input has 2 dimensions.
struct RnnSizes {
  size_t batches = 0, steps = 0, inputs = 0, units = 0;
};

// Checks all tensors but the output.
Result<RnnSizes> rnn_sizes(const OpView& op, const RnnInputs& at, bool time_major);

struct Rnn {
  RnnInputs at;
  RnnOptions options;
  RnnSizes sizes;
  RowProduct input, auxiliary, recurrent;
  size_t output_width = 0;                // of a row of the output tensor
  size_t product_at = 0, scratch_at = 0;  // of shared scratch memory
};

Status prepare_rnn(PrepareContext& op, const RnnInputs& at, const RnnOptions& options, Rnn* rnn);
// `out`: where output 0 of the first step goes.
void run_rnn(const EvalContext& run, const Rnn& rnn, float* out);

}  // namespace edge
