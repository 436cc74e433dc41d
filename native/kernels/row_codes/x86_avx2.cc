#include "kernels/row_codes/x86_rows.h"

namespace edge::row_codes {

Extent extent_avx2(const float* x, size_t n) { return find_extent(x, n); }
void encode_avx2(const EncodeArgs& args) { encode_row(args); }
void decode_avx2(const DecodeArgs& args) { decode_row(args); }

}  // namespace edge::row_codes
