// The AVX-VNNI kernel in the encoding of AVX512, so that CPUs without AVX-VNNI test it as well.
#include "kernels/gemm/x86_tile.h"

namespace edge::gemm {

void gemm_x8w8_6x16c4_avx512vnni(const Args& args) { run_tiles<false>(args); }
void gemm_x8w8_6x16s4_avx512vnni(const Args& args) { run_tiles<true>(args); }

}  // namespace edge::gemm
