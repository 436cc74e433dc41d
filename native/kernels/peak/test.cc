#include <string>

#include "kernels/peak/peak.h"
#include "kernels/testing.h"

namespace edge::peak {

TEST_CASE("peak: every kernel that this CPU runs is measured") {
  size_t count;
  const Kernel* all = kernels(&count);
  for (const Kernel* kernel : testing::runnable(all, count)) {
    CAPTURE(kernel->name);
    kernel->run(0);
    CHECK(gmac_per_s(*kernel, 1, 0.01) > 0);
    CHECK(gmac_per_s(*kernel, 2, 0.01) > 0);
  }
}

TEST_CASE("peak: the best that the features allow is chosen, of the type that was asked for") {
  CHECK(std::string(select(kScalar, Type::kInt8)->name) == "peak_mul_scalar");
  CHECK(select(kScalar, Type::kFloat32) == nullptr);
  size_t count;
  const Kernel* all = kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const Kernel* chosen = select(all[i].needs, all[i].type);
    CHECK(chosen->type == all[i].type);
    CHECK(chosen->needs == all[i].needs);
  }
}

}  // namespace edge::peak
