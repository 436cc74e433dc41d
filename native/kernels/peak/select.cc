#include <algorithm>
#include <chrono>

#include "base/thread_pool.h"
#include "kernels/peak/peak.h"

namespace edge::peak {

static const Kernel kKernels[] = {
#define PEAK(name, needs, type, macs) {#name, needs, type, macs, name},
#include "kernels/peak/kernels.inc"
#undef PEAK
};

const Kernel* kernels(size_t* count) {
  *count = sizeof kKernels / sizeof kKernels[0];
  return kKernels;
}

const Kernel* select(Features features, Type type) {
  const Kernel* best = nullptr;
  for (const Kernel& k : kKernels) {
    if (k.type == type && (k.needs & ~features) == 0) best = &k;
  }
  return best;
}

double gmac_per_s(const Kernel& kernel, int threads, double milliseconds) {
  using Clock = std::chrono::steady_clock;
  ThreadPool pool(threads);
  double best = 0;
  size_t rounds = 64;
  for (int run = 0; run < 50;) {
    const auto start = Clock::now();
    pool.run(static_cast<size_t>(threads), [&](size_t, int) { kernel.run(rounds); });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds * 1000 < milliseconds) {
      rounds *= 2;
      continue;
    }
    const double macs = static_cast<double>(kernel.macs) * static_cast<double>(rounds) * threads;
    best = std::max(best, macs / seconds * 1e-9);
    ++run;
  }
  return best;
}

}  // namespace edge::peak
