#include "kernels/requantize/x86_float_form.h"

namespace edge::requantize {

void find_float_forms_sse41(const int32_t* multiplier, const int32_t* exponent,
                            const Bounds* bounds, size_t cols, int32_t reach, FloatForm* forms) {
  find(multiplier, exponent, bounds, cols, reach, forms);
}

}  // namespace edge::requantize
