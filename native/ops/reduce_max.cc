// REDUCE_MAX
#include "ops/support/extremum.h"

namespace edge {

extern const OpDef op_reduce_max{check_extremum, infer_reduce, prepare_extremum,
                                 eval_extremum<true>};

}  // namespace edge
