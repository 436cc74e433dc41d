// The LSTM of lstm.h in integers: int8 inputs, outputs and weights, int16 gates and cells.
#pragma once

#include <vector>

#include "kernels/requantize/requantize.h"
#include "ops/support/lstm.h"

namespace edge {

struct IntegerLstm {
  LstmInputs at;
  LstmOptions options;
  LstmSizes sizes;
  RowProduct input, recurrent, projection;
  struct Gate {
    requantize::Multiplier input{}, recurrent{}, peephole{}, norm{};
    int32_t variance_guard = 1;
    const int16_t* peepholes = nullptr;  // constants of the model
    const int16_t* norms = nullptr;
    const int32_t* norm_bias = nullptr;
  };
  Gate gates[4];  // i, f, c, o
  requantize::Multiplier hidden{}, projected{};
  int32_t hidden_zero = 0, state_zero = 0;
  int cell_bits = 0;  // a cell of 2^15 is 2^cell_bits
  int16_t cell_clip = 0;
  int8_t proj_clip = 0;
  // Of shared scratch memory.
  size_t gates_at = 0, hidden_at = 0, product_at = 0;
};

Status prepare_integer_lstm(PrepareContext& op, const LstmInputs& at, const LstmOptions& options,
                            IntegerLstm* lstm);
void run_integer_lstm(const EvalContext& run, const IntegerLstm& lstm);

}  // namespace edge
