// DEPTHWISE_CONV_2D of float inputs with 8-bit weights.
#pragma once

#include <vector>

#include "ops/support/hybrid.h"

namespace edge {

struct DepthwiseCodes {
  Hybrid hybrid;
  Picture picture;
  size_t channels = 0, multiplier = 1;  // of output, and how many an input channel
  std::vector<int16_t> weights;         // [taps][channels rounded up to whole blocks]
};

Status prepare_depthwise_codes(PrepareContext& op, const Picture& picture, Activation activation,
                               DepthwiseCodes* state);
void run_depthwise_codes(const EvalContext& run, const DepthwiseCodes& state);

}  // namespace edge
