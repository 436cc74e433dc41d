// The multiply-accumulates that a core can do at most: a loop over registers that loads and stores
// nothing. No kernel of its ISA can be faster, so `edge-sdk bench` gives what each op reaches as a
// share of this.
#pragma once

#include <cstddef>

#include "base/cpu.h"

namespace edge::peak {

enum class Type { kInt8, kFloat32 };

// `rounds` times `macs` multiply-accumulates, in chains long enough to hide the latency.
using Run = void (*)(size_t rounds);

// Named peak_<instruction>_<isa>.
struct Kernel {
  const char* name;
  Features needs;
  Type type;
  size_t macs;  // of one round
  Run run;
};

#define PEAK(name, needs, type, macs) void name(size_t rounds);
#include "kernels/peak/kernels.inc"
#undef PEAK

// The best that `features` allow; null if no kernel has the type.
const Kernel* select(Features features, Type type);
const Kernel* kernels(size_t* count);

// 1e9 multiply-accumulates a second of that many threads at once: the best of some runs of about
// `milliseconds` each.
double gmac_per_s(const Kernel& kernel, int threads, double milliseconds = 2);

}  // namespace edge::peak
