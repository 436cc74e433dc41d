// libFuzzer's entry: whatever the bytes, reading, planning and running them ends in a Status.
#include "reader/reader.h"
#include "runtime/plan.h"
#include "runtime/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Beyond these a valid model takes too long for a fuzzer.
  constexpr size_t kMemory = 1 << 24;
  constexpr int64_t kMacs = 1 << 22;

  const auto model = edge::read_bytes({data, size});
  if (!model.ok()) return 0;
  const auto plan = edge::Plan::build(*model, 0, {});
  if (!plan.ok()) return 0;
  int64_t macs = 0;
  for (const edge::Step& step : (*plan)->steps()) macs += step.macs;
  if ((*plan)->arena_bytes() > kMemory || macs > kMacs) return 0;
  const auto session = edge::Session::create(*plan, 1);
  if (session.ok()) (void)(*session)->run();
  return 0;
}
