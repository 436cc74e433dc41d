// What this CPU can do, as bits that a kernel's `needs` is tested against.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edge {

class Status;

// A bit stands for everything that the compiler flags of its ISA files switch on
// (native/cmake/isa_flags.cmake), the operating system's register support included.
using Features = uint32_t;
constexpr Features kScalar = 0;  // what the architecture's baseline has: nothing to ask for
constexpr Features kSse41 = 1u << 0;
constexpr Features kAvx2 = 1u << 1;        // with FMA3 and F16C, as every such CPU has them
constexpr Features kAvxVnni = 1u << 2;     // 256-bit VNNI in VEX encoding
constexpr Features kAvx512Vnni = 1u << 3;  // with F, BW, CD, DQ and VL
constexpr Features kNeon = 1u << 8;
constexpr Features kDotprod = 1u << 9;
constexpr Features kI8mm = 1u << 10;

// The bits of the CPU that runs this.
Features detect_features();

// `detected` without the ISAs that stand behind `isa` in the order scalar, sse41, avx2, avxvnni,
// avx512vnni; scalar, neon, dotprod, i8mm. Null or "" keeps all. An unknown name or one that is
// not in `detected` is an error that lists those that are.
Status lower_features(Features detected, const char* isa, Features* lowered);

// detect_features() lowered by the environment variable EDGE_ISA, read on each call.
Status active_features(Features* features);

// The name of the highest ISA in `features`: "scalar", "avx2", ...
const char* isa_name(Features features);

// This CPU's share of the level 2 cache, or a small one's where the system does not say.
size_t l2_cache_bytes();

// The names of all ISAs in `features`, lowest first, "scalar" included.
std::vector<std::string> isa_names(Features features);

}  // namespace edge
