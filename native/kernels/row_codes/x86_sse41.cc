#include "kernels/row_codes/x86_rows.h"

namespace edge::row_codes {

Extent extent_sse41(const float* x, size_t n) { return find_extent(x, n); }
void encode_sse41(const EncodeArgs& args) { encode_row(args); }
void decode_sse41(const DecodeArgs& args) { decode_row(args); }

}  // namespace edge::row_codes
