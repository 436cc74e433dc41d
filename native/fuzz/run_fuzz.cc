// Whatever the bytes, reading, planning and running them ends in a Status.
#include "fuzz/model_fuzz.h"
#include "reader/reader.h"
#include "runtime/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Beyond these a valid model takes too long for a fuzzer.
  constexpr size_t kMemory = 1 << 24;
  constexpr int64_t kMacs = 1 << 22;

  const auto model = edge::read_bytes({data, size});
  if (!model.ok()) return 0;
  edge::PlanOptions options;
  options.limits.memory_bytes = 4 * kMemory;
  options.limits.loop_steps = 100;
  options.limits.seconds = 1;
  const auto plan = edge::Plan::build(*model, 0, options);
  if (!plan.ok()) return 0;
  int64_t macs = 0;
  for (const edge::Step& step : (*plan)->steps()) macs += step.macs;
  if ((*plan)->arena_bytes() > kMemory || macs > kMacs) return 0;
  const auto session = edge::Session::create(*plan, 1);
  if (!session.ok()) return 0;
  (void)(*session)->run();
  // Once more with inputs of the file's own bytes, which as indices lie anywhere.
  for (int input : (*plan)->graph().inputs) {
    const edge::TensorSpec& spec = (*plan)->graph().values[static_cast<size_t>(input)].spec;
    const auto bytes = edge::byte_size(spec.dtype, spec.shape);
    if (!bytes.ok() || (*plan)->place(input).kind != edge::Place::kArena) continue;
    for (size_t i = 0; i < *bytes; ++i) (*session)->data(input)[i] = data[i % size];
  }
  (void)(*session)->run();
  return 0;
}
