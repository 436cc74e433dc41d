#include "kernels/bench.h"

#include "kernels/row_codes/row_codes.h"

namespace edge::row_codes {

// Nanoseconds per value: to codes, and from accumulators back, of rows that lie in the L1 cache.
void bench() {
  constexpr size_t kValues = 2048;
  std::vector<float> x(kValues, 0.3f), scale(kValues, 1e-3f), bias(kValues, 0.5f);
  std::vector<int8_t> out(kValues);
  std::vector<uint32_t> acc(kValues), sums(kValues, 3);
  const auto report = [&](const Kernel& kernel, const char* what, double seconds) {
    bench::report(kernel.name, what, seconds * 1e9 / kValues, "ns per value");
  };
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel& kernel = all[i];
    if ((kernel.needs & ~bench::features()) != 0) continue;
    report(kernel, "to codes", bench::best_seconds([&] {
             const Codes codes = find(kernel, x.data(), kValues, true);
             kernel.encode({&codes, x.data(), kValues, kValues, out.data()});
           }));
    report(kernel, "to floats", bench::best_seconds([&] {
             kernel.decode({kValues, acc.data(), 0.1f, 5, sums.data(), scale.data(), bias.data(),
                            false, 0.f, 6.f});
           }));
  }
}

}  // namespace edge::row_codes
