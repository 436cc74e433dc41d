#include "kernels/depthwise/x86_columns.h"
#include "kernels/depthwise/x86_words.h"

namespace edge::depthwise {

void depthwise_x8w8_16c4_avxvnni(const Args& args) { run_columns(args); }

void depthwise_x16w16_16c2_avxvnni(const Args& args) { run_words(args); }

}  // namespace edge::depthwise
