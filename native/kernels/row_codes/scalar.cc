// The definition, in groups that compilers make vectors of.
#include "kernels/row_codes/elements.h"

namespace edge::row_codes {

constexpr size_t kLanes = 16;

Extent extent_scalar(const float* x, size_t n) {
  float low[kLanes] = {}, high[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      low[j] = smaller(x[i + j], low[j]);
      high[j] = larger(x[i + j], high[j]);
    }
  }
  for (; i < n; ++i) {
    low[0] = smaller(x[i], low[0]);
    high[0] = larger(x[i], high[0]);
  }
  Extent e{low[0], high[0]};
  for (size_t j = 1; j < kLanes; ++j) e = {smaller(low[j], e.low), larger(high[j], e.high)};
  return e;
}

void encode_scalar(const EncodeArgs& args) {
  const Codes codes = *args.codes;
  const Extent range = range_of(codes);
  const float* x = args.x;
  int8_t* out = args.out;
  size_t i = 0;
  for (; i + kLanes <= args.rough; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) out[i + j] = rough_code(codes, range, x[i + j]);
  }
  for (; i < args.rough; ++i) out[i] = rough_code(codes, range, x[i]);
  for (; i < args.n; ++i) out[i] = exact_code(codes, range, x[i]);
}

template <bool kInTurn, bool kOffset>
static void decode(const DecodeArgs& args) {
  const DecodeArgs a = args;
  uint8_t* y = static_cast<uint8_t*>(a.y);
  uint32_t acc[kLanes];
  float real[kLanes];
  size_t i = 0;
  for (; i + kLanes <= a.n; i += kLanes) {
    memcpy(acc, y + i * sizeof(float), sizeof acc);
    for (size_t j = 0; j < kLanes; ++j) real[j] = real_of<kInTurn, kOffset>(a, acc[j], i + j);
    memcpy(y + i * sizeof(float), real, sizeof real);
  }
  for (; i < a.n; ++i) decode_one<kInTurn, kOffset>(a, i);
}

void decode_scalar(const DecodeArgs& args) {
  if (args.offset == 0) return (args.in_turn ? decode<true, false> : decode<false, false>)(args);
  return (args.in_turn ? decode<true, true> : decode<false, true>)(args);
}

}  // namespace edge::row_codes
