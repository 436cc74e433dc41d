// sigmoid and tanh of int16 fixed-point numbers by integer arithmetic alone, as TFLite's integer
// LSTM takes them. Results are fractions of 2^15.
#pragma once

#include <cstdint>

namespace edge {

int16_t short_sigmoid(int16_t x);                 // x has 3 integer bits
int16_t short_tanh(int16_t x, int integer_bits);  // 0 to 6

}  // namespace edge
