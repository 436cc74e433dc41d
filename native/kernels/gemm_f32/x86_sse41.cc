#include "kernels/gemm_f32/x86_panels.h"

namespace edge::gemm_f32 {

void gemm_f32_3x16_sse41(const Args& args) { run_panels(args); }

}  // namespace edge::gemm_f32
