#include "base/cpu.h"

#include <doctest/doctest.h>

#include "base/status.h"

namespace edge {

TEST_CASE("cpu: EDGE_ISA lowers, never raises, and names what there is") {
  const Features zen4 = kSse41 | kAvx2 | kAvx512Vnni;  // no AVX-VNNI
  Features f = 0;
  CHECK(lower_features(zen4, nullptr, &f).ok());
  CHECK(f == zen4);
  CHECK(lower_features(zen4, "", &f).ok());
  CHECK(f == zen4);
  CHECK(lower_features(zen4, "scalar", &f).ok());
  CHECK(f == kScalar);
  CHECK(lower_features(zen4, "avx2", &f).ok());
  CHECK(f == (kSse41 | kAvx2));
  CHECK(lower_features(kNeon | kDotprod, "neon", &f).ok());
  CHECK(f == kNeon);
  for (const char* isa : {"avxvnni", "neon", "AVX2", "avx"}) {
    const Status status = lower_features(zen4, isa, &f);
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(status.message().find("scalar, sse41, avx2, avx512vnni") != std::string::npos);
  }
}

TEST_CASE("cpu: names") {
  CHECK(std::string(isa_name(kScalar)) == "scalar");
  CHECK(std::string(isa_name(kSse41 | kAvx2)) == "avx2");
  CHECK(isa_names(kNeon | kI8mm) == std::vector<std::string>{"scalar", "neon", "i8mm"});
  MESSAGE("this CPU: " << isa_name(detect_features()));
}

}  // namespace edge
