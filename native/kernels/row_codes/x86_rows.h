// The kernels of SSE4.1 and AVX2.
#pragma once

#include "kernels/row_codes/elements.h"
#include "kernels/x86_vectors.h"

namespace edge::row_codes {

using namespace x86;  // of this file's flags only, all static

static Extent find_extent(const float* x, size_t n) {
  Floats low[2] = {all_floats(0), all_floats(0)}, high[2] = {all_floats(0), all_floats(0)};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    for (size_t v = 0; v < 2; ++v) {
      const Floats some = loadu_floats(x + i + v * kLanes);
      low[v] = min_floats(some, low[v]);  // in this order NaN counts for nothing
      high[v] = max_floats(some, high[v]);
    }
  }
  float lows[kLanes], highs[kLanes];
  storeu_floats(lows, min_floats(low[0], low[1]));
  storeu_floats(highs, max_floats(high[0], high[1]));
  Extent e{0, 0};
  for (size_t j = 0; j < kLanes; ++j) e = {smaller(lows[j], e.low), larger(highs[j], e.high)};
  for (; i < n; ++i) e = {smaller(x[i], e.low), larger(x[i], e.high)};
  return e;
}

static void encode_row(const EncodeArgs& args) {
  const Codes codes = *args.codes;
  const Extent range = range_of(codes);
  const Floats inverse = all_floats(codes.inverse), sign = all_floats(-0.f);
  const Floats low = all_floats(range.low), high = all_floats(range.high), half = all_floats(0.5f);
  const float* x = args.x;
  int8_t* out = args.out;
  const auto whole = [&](const float* from) {
    const Floats scaled = loadu_floats(from) * inverse;
    const Floats v = min_floats(max_floats(scaled, low), high);
    return cut(v + bits_or(half, bits_and(v, sign)));
  };
  const Ints offset16 = all16(codes.offset), offset = all32(codes.offset);
  size_t i = 0;
  for (; i + 4 * kLanes <= args.rough; i += 4 * kLanes) {
    const float* from = x + i;
    storeu(out + i, narrow(whole(from), whole(from + kLanes), whole(from + 2 * kLanes),
                           whole(from + 3 * kLanes), offset16));
  }
  for (; i + kLanes <= args.rough; i += kLanes) {
    store_low_bytes(out + i, add32(whole(x + i), offset));
  }
  for (; i < args.rough; ++i) out[i] = rough_code(codes, range, x[i]);
  for (; i < args.n; ++i) out[i] = exact_code(codes, range, x[i]);
}

template <bool kInTurn, bool kOffset>
static void decode(const DecodeArgs& args) {
  const DecodeArgs a = args;
  uint8_t* y = static_cast<uint8_t*>(a.y);
  const Floats row_scale = all_floats(a.row_scale), min = all_floats(a.min),
               max = all_floats(a.max);
  const Ints offset = all32(a.offset);
  size_t i = 0;
  for (; i + kLanes <= a.n; i += kLanes) {
    Ints acc = loadu(y + i * sizeof(float));
    if (kOffset) acc = sub32(acc, multiply32(offset, loadu(a.sums + i)));
    const Floats product = to_floats(acc), scale = loadu_floats(a.scale + i);
    const Floats scaled = kInTurn ? product * scale * row_scale : product * (row_scale * scale);
    const Floats real = scaled + loadu_floats(a.bias + i);
    // In this order of operands a NaN stays one.
    storeu_floats(reinterpret_cast<float*>(y) + i, min_floats(max, max_floats(min, real)));
  }
  for (; i < a.n; ++i) decode_one<kInTurn, kOffset>(a, i);
}

static void decode_row(const DecodeArgs& args) {
  if (args.offset == 0) return (args.in_turn ? decode<true, false> : decode<false, false>)(args);
  return (args.in_turn ? decode<true, true> : decode<false, true>)(args);
}

}  // namespace edge::row_codes
