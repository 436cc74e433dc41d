#include "kernels/depthwise_f32/x86_channels.h"

namespace edge::depthwise_f32 {

void depthwise_f32_16_sse41(const Args& args) { run_channels(args); }

}  // namespace edge::depthwise_f32
