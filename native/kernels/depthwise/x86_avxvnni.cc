#include "kernels/depthwise/x86_columns.h"

namespace edge::depthwise {

void depthwise_x8w8_16c4_avxvnni(const Args& args) { run_columns(args); }

}  // namespace edge::depthwise
