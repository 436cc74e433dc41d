// TFLite's older form of an LSTM step, the "basic kernel": all gates are rows of one matrix, in the
// order i, c, f and o, and its columns are those of the input, then of the activation h:
//
//   g = W [x h] + b,   c = sigmoid(i) . tanh(c_g) + sigmoid(f) . c,   h = sigmoid(o) . tanh(c)
//
// float32; or uint8 about 128 with c as int16, 4 bits of which are whole. h and c are tensors of
// the graph; where they are variables, they keep the new values.
#pragma once

#include <vector>

#include "kernels/requantize/requantize.h"
#include "ops/op.h"
#include "ops/support/row_product.h"

namespace edge {

struct BasicLstm {
  bool floats = true;
  size_t batches = 0, inputs = 0, cells = 0;
  bool keeps_activation = false, keeps_state = false;
  RowProduct product;            // of floats
  std::vector<int16_t> weights;  // of codes; rows of `row` values, zeros at the end
  std::vector<int32_t> bias;
  size_t row = 0;
  requantize::Multiplier multiplier{};
  size_t gates_at = 0;  // of shared scratch memory
};

Status check_basic_lstm(const OpView& op);
Status infer_basic_lstm(const OpView& op, std::vector<Shape>* shapes);
Status prepare_basic_lstm(PrepareContext& op, BasicLstm* lstm);
void run_basic_lstm(const EvalContext& run, const BasicLstm& lstm);

}  // namespace edge
