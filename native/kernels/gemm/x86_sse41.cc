#include "kernels/gemm/x86_tile.h"

namespace edge::gemm {

void gemm_x8w16_3x16c2_sse41(const Args& args) { run_tiles<false>(args); }
void gemm_x8w16_3x16s2_sse41(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
