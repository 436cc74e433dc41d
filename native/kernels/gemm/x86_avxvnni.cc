#include "kernels/gemm/x86_tile.h"

namespace edge::gemm {

void gemm_x8w8_6x16c4_avxvnni(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_6x16s4_avxvnni(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
