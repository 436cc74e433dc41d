#include "kernels/depthwise/x86_columns.h"
#include "kernels/depthwise/x86_words.h"

namespace edge::depthwise {

void depthwise_x8w16_16c2_avx2(const Args& args) { run_columns(args); }

void depthwise_x16w16_16c2_avx2(const Args& args) { run_words(args); }

}  // namespace edge::depthwise
