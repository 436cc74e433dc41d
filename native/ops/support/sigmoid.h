// exp, sigmoid and tanh of float vectors, within 2e-7 of the true value, in loops that compilers
// turn into vector code. No C library is asked: all give the same.
#pragma once

#include <cstddef>

#include "graph/attributes.h"

namespace edge {

void sigmoid(float* x, size_t n);
void tanh(float* x, size_t n);
// Any fused activation but SIGN_BIT.
void activate(Activation activation, float* x, size_t n);

}  // namespace edge
