#include "kernels/gemm_f32/x86_panels.h"

namespace edge::gemm_f32 {

void gemm_f32_6x16_avx2(const Args& args) { run_panels(args); }

}  // namespace edge::gemm_f32
