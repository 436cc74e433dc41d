// COMPLEX_ABS: the magnitude of each complex number.
#include <cmath>

#include "ops/support/complex.h"

namespace edge {
namespace {

// The squares of floats neither overflow nor lose bits in double; an infinite part makes an
// infinite magnitude, whatever the other part is.
float magnitude(ComplexOf<float> z) {
  if (std::isinf(z.re) || std::isinf(z.im)) return INFINITY;
  const double re = static_cast<double>(z.re), im = static_cast<double>(z.im);
  return static_cast<float>(std::sqrt(re * re + im * im));
}
double magnitude(ComplexOf<double> z) { return std::hypot(z.re, z.im); }

void eval(const EvalContext& run) {
  eval_complex(run, [](auto z) { return magnitude(z); });
}

}  // namespace

extern const OpDef op_complex_abs{check_complex, infer_unary, prepare_complex, eval};

}  // namespace edge
