// The AVX-VNNI kernel in the encoding of AVX512, so that CPUs without AVX-VNNI test it as well.
#include "kernels/depthwise/x86_columns.h"

namespace edge::depthwise {

void depthwise_x8w8_16c4_avx512vnni_256(const Args& args) { run_columns(args); }

}  // namespace edge::depthwise
