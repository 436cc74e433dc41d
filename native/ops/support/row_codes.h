// Float rows as int8 codes with a scale of their own, found while running: x ~ scale * (q -
// offset). What ops with float inputs and int8 weights ("hybrid") do first, to TFLite's rules.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edge {

struct RowCodes {
  float scale = 1, inverse = 0;
  int32_t offset = 0;
  int32_t low = -127;  // the least code

  // TFLite's code for x86 rounds by adding a half and cutting off, which takes 0.49999997 for 1.
  // What is left of an array behind groups of 8 is rounded exactly.
  static size_t roughly(size_t n) { return n / 8 * 8; }
};

// Symmetric: codes -127..127 about offset 0. Asymmetric: -128..127, and 0 has a code.
RowCodes find_codes(const float* x, size_t n, bool asymmetric);
// The first `rough` of n values are rounded as above: roughly(n) of a whole array.
void encode(const RowCodes& codes, const float* x, size_t rough, size_t n, int8_t* out);

}  // namespace edge
