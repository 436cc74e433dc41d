// The AVX-VNNI kernels in the encoding of AVX512, so that CPUs without AVX-VNNI test them as well.
#include "kernels/depthwise/x86_columns.h"
#include "kernels/depthwise/x86_words.h"

namespace edge::depthwise {

void depthwise_x8w8_16c4_avx512vnni_256(const Args& args) { run_columns(args); }

void depthwise_x16w16_16c2_avx512vnni(const Args& args) { run_words(args); }

}  // namespace edge::depthwise
