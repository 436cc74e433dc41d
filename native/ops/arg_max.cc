// ARG_MAX
#include "ops/support/arg_extremum.h"

namespace edge {

extern const OpDef op_arg_max{check_arg, infer_arg, prepare_arg, eval_arg<true>};

}  // namespace edge
