#include "base/cpu.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/status.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

namespace edge {
namespace {

struct Isa {
  const char* name;
  Features bit;
};

// Lowest first; one architecture's CPUs have only its own bits.
constexpr Isa kIsas[] = {
    {"scalar", kScalar},         {"sse41", kSse41}, {"avx2", kAvx2},       {"avxvnni", kAvxVnni},
    {"avx512vnni", kAvx512Vnni}, {"neon", kNeon},   {"dotprod", kDotprod}, {"i8mm", kI8mm},
};

}  // namespace

#if defined(__x86_64__) || defined(__i386__)

Features detect_features() {
  struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
    Registers(unsigned leaf, unsigned subleaf) {
      if (!__get_cpuid_count(leaf, subleaf, &a, &b, &c, &d)) a = b = c = d = 0;
    }
  };
  const auto has = [](unsigned word, int bit) { return (word >> bit & 1) != 0; };
  const Registers one(1, 0), seven(7, 0), seven_one(7, 1);

  Features features = 0;
  if (has(one.c, 9) && has(one.c, 19)) features |= kSse41;  // SSSE3, SSE4.1

  // XCR0: which register files the operating system saves.
  uint64_t saved = 0;
  if (has(one.c, 27)) {  // OSXSAVE
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    saved = uint64_t{high} << 32 | low;
  }
  const bool ymm = (saved & 0x06) == 0x06;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const bool avx2 = ymm && has(one.c, 28) && has(one.c, 12) && has(one.c, 29) && has(seven.b, 5);
  if (avx2) features |= kAvx2;
  if (avx2 && has(seven_one.a, 4)) features |= kAvxVnni;
  const bool avx512 = has(seven.b, 16) && has(seven.b, 17) && has(seven.b, 28) &&
                      has(seven.b, 30) && has(seven.b, 31);  // F, DQ, CD, BW, VL
  if (avx2 && zmm && avx512 && has(seven.c, 11)) features |= kAvx512Vnni;
  return features;
}

#elif defined(__aarch64__)

Features detect_features() {
  // The kernel's HWCAP_ASIMDDP and HWCAP2_I8MM, by value: old C libraries lack the names.
  Features features = kNeon;
  if (getauxval(AT_HWCAP) & (1ul << 20)) features |= kDotprod;
  if (getauxval(AT_HWCAP2) & (1ul << 13)) features |= kI8mm;
  return features;
}

#elif defined(__arm__)

Features detect_features() {
  return getauxval(AT_HWCAP) & (1ul << 12) ? kNeon : kScalar;  // HWCAP_NEON
}

#else

Features detect_features() { return kScalar; }

#endif

Status lower_features(Features detected, const char* isa, Features* lowered) {
  *lowered = detected;
  if (isa == nullptr || *isa == '\0') return {};
  Features kept = 0;
  for (const Isa& entry : kIsas) {
    if ((entry.bit & ~detected) != 0) continue;
    kept |= entry.bit;
    if (std::strcmp(entry.name, isa) == 0) {
      *lowered = kept;
      return {};
    }
  }
  std::string known;
  for (const std::string& name : isa_names(detected)) known += (known.empty() ? "" : ", ") + name;
  return invalid_argument(
      format("EDGE_ISA=%s: this CPU has %s; set one of these or unset it", isa, known.c_str()));
}

Status active_features(Features* features) {
  // A virtual machine takes tens of microseconds for each CPUID, and every op of a model asks.
  static const Features detected = detect_features();
  return lower_features(detected, std::getenv("EDGE_ISA"), features);
}

const char* isa_name(Features features) {
  const char* name = kIsas[0].name;
  for (const Isa& entry : kIsas) {
    if ((entry.bit & features) != 0) name = entry.name;
  }
  return name;
}

std::vector<std::string> isa_names(Features features) {
  std::vector<std::string> names;
  for (const Isa& entry : kIsas) {
    if ((entry.bit & ~features) == 0) names.push_back(entry.name);
  }
  return names;
}

size_t l2_cache_bytes() {
  constexpr size_t kUnknown = 256 << 10;
  const auto read = [](const char* name, char* text, int size) {
    const std::string path = std::string("/sys/devices/system/cpu/cpu0/cache/index2/") + name;
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (!file) return false;
    const bool found = std::fgets(text, size, file) != nullptr;
    std::fclose(file);
    return found;
  };
  char text[256];
  if (!read("size", text, sizeof text)) return kUnknown;
  const size_t kib = std::strtoul(text, nullptr, 10);  // "1024K"
  size_t sharers = 0;
  // Masks of 32 CPUs in hexadecimal: "00000000,0000000f".
  if (read("shared_cpu_map", text, sizeof text)) {
    for (const char* c = text; *c; ++c) {
      const char digit[2] = {*c, 0};
      sharers += static_cast<size_t>(__builtin_popcountl(std::strtoul(digit, nullptr, 16)));
    }
  }
  return kib ? (kib << 10) / std::max<size_t>(sharers, 1) : kUnknown;
}

}  // namespace edge
