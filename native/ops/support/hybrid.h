// Float inputs with int8 weights: the input's pictures (rows of FULLY_CONNECTED) become codes while
// running, with a scale each, and
//
//   y = act(bias[n] + scale * weight_scale[n] * sum (x - offset) * w)
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/row_codes/row_codes.h"
#include "ops/op.h"
#include "ops/support/picture.h"
#include "ops/support/quantize.h"

namespace edge {

bool is_hybrid(const OpView& op);

// Types of bias and output, and the weights' scales, of which `channel_axis` has one each.
Status check_hybrid(const OpView& op, int channel_axis);

struct Hybrid {
  const row_codes::Kernel* kernel = nullptr;
  bool scales_in_turn = false;  // the channel's and then the picture's, not their product
  bool asymmetric = false;
  size_t in_rows = 0, in_row = 0;      // floats of a picture's row
  size_t row = 0, picture = 0;         // bytes of the codes' rows and pictures, border and all
  size_t before_rows = 0, before = 0;  // of them, border: rows above and bytes on the left
  size_t codes = 0;                    // where in shared scratch memory they begin
  size_t batches = 0;
  size_t pixels = 0;               // of output, of one picture
  std::vector<float> scale, bias;  // by output channel
  std::vector<uint32_t> sums;      // of an output channel's weights
  FloatRange range{};
};

// From the geometry of the float picture: makes it that of the codes, which have the border in
// memory, since what a cell of it holds is known only while running. Reserves shared scratch
// memory. `channels` of output.
Status prepare_hybrid(PrepareContext& op, size_t channels, Activation activation, Picture* picture,
                      Hybrid* hybrid);

// Fills shared scratch memory; the codes.
const int8_t* encode_pictures(const EvalContext& run, const Hybrid& hybrid);

// Columns [first_col, last_col) of `count` pixels from `first` on, given as int32 accumulators, to
// floats in their place. Column 0, where `out` of pixel `first` is, is output channel `channel`.
void finish_hybrid(const EvalContext& run, const Hybrid& hybrid, size_t first, size_t count,
                   size_t channel, size_t first_col, size_t last_col, uint8_t* out,
                   size_t out_stride);

}  // namespace edge
