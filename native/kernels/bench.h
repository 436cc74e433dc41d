// How the benches of the kernel families measure and report.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/status.h"

namespace edge::bench {

// Seconds that one call of `work` takes: the best of repeated runs of at least 2 ms each.
template <typename Work>
double best_seconds(Work work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  size_t calls = 1;
  for (int round = 0; round < 20;) {
    const auto start = Clock::now();
    for (size_t i = 0; i < calls; ++i) work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds < 0.002) {
      calls *= 2;
      continue;
    }
    best = std::min(best, seconds / static_cast<double>(calls));
    ++round;
  }
  return best;
}

inline void report(const char* kernel, const char* what, double amount, const char* unit) {
  std::printf("%-38s %-28s %8.2f %s\n", kernel, what, amount, unit);
  std::fflush(stdout);
}

inline Features features() {
  Features f = 0;
  const Status status = active_features(&f);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return f;
}

}  // namespace edge::bench
