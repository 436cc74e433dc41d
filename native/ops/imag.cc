// IMAG: the imaginary part of each complex number.
#include "ops/support/complex.h"

namespace edge {
namespace {

void eval(const EvalContext& run) {
  eval_complex(run, [](auto z) { return z.im; });
}

}  // namespace

extern const OpDef op_imag{check_complex, infer_unary, prepare_complex, eval};

}  // namespace edge
