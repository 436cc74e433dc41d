#include "kernels/gemm/x86_tile.h"

namespace edge::gemm {

void gemm_x8w8_6x16c4_avxvnni(const Args& args) { run_tiles(args); }

}  // namespace edge::gemm
