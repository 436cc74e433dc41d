// SUM: y = sum of x along the reduced axes. int8, uint8 and int16 codes are summed in 32 bits and
// requantized once; integers without quantization wrap.
#include "ops/support/reduce.h"
#include "ops/support/sums.h"

namespace edge {

extern const OpDef op_sum{check_sum, infer_reduce, prepare_sum<Average::kSum>, eval_sum};

}  // namespace edge
