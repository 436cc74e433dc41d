// MEAN: y = sum of x along the reduced axes / their number of elements. int8, uint8 and int16 codes
// are summed in 32 bits and requantized once; integers without quantization divide towards zero.
#include "ops/support/reduce.h"
#include "ops/support/sums.h"

namespace edge {

extern const OpDef op_mean{check_sum, infer_reduce, prepare_sum<Average::kMean>, eval_sum};

}  // namespace edge
