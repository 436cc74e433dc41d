// Where the smallest byte of each row is, the first of equal ones:
//
//   out[r] = min { i : x[r][i] ^ flip <= x[r][j] ^ flip for all j }, bytes being unsigned
//
// `flip` makes this the largest (0xff), of signed codes the smallest (0x80) or largest (0x7f).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace edge::extremum {

struct Args {
  size_t rows;
  size_t extent;     // at least 1
  const uint8_t* x;  // [rows][extent]; may be read kOverread bytes past the end
  uint8_t flip;
  int32_t* out;  // [rows]
};

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  Run run;
};

#define EXTREMUM(name, needs) void name(const Args& args);
#include "kernels/extremum/kernels.inc"
#undef EXTREMUM

const Kernel& select(Features features);
const Kernel* kernels(size_t* count);

}  // namespace edge::extremum
