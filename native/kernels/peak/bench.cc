#include "kernels/bench.h"

#include "kernels/peak/peak.h"

namespace edge::peak {

void bench() {
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    if ((all[i].needs & ~bench::features()) != 0) continue;
    bench::report(all[i].name, "registers only", gmac_per_s(all[i], 1), "GMAC/s");
  }
}

}  // namespace edge::peak
