// ARG_MIN
#include "ops/support/arg_extremum.h"

namespace edge {

extern const OpDef op_arg_min{check_arg, infer_arg, prepare_arg, eval_arg<false>};

}  // namespace edge
