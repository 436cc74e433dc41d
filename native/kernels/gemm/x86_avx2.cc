#include "kernels/gemm/x86_tile.h"

namespace edge::gemm {

void gemm_x8w16_6x16c2_avx2(const Args& args) { run_tiles<false>(args); }
void gemm_x8w16_6x16s2_avx2(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
