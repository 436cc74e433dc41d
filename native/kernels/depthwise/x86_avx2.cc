#include "kernels/depthwise/x86_columns.h"

namespace edge::depthwise {

void depthwise_x8w16_16c2_avx2(const Args& args) { run_columns(args); }

}  // namespace edge::depthwise
