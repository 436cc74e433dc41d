// REDUCE_MIN
#include "ops/support/extremum.h"

namespace edge {

extern const OpDef op_reduce_min{check_extremum, infer_reduce, prepare_extremum,
                                 eval_extremum<false>};

}  // namespace edge
