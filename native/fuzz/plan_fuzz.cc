// Whatever the bytes, reading them, describing them and planning all of their graphs ends in a
// Status.
#include "fuzz/model_fuzz.h"
#include "reader/reader.h"
#include "runtime/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto model = edge::read_bytes({data, size});
  if (!model.ok()) return 0;
  for (size_t i = 0; i < (*model)->graphs.size() && i < 4; ++i) {
    (void)edge::missing_ops((*model)->graphs[i]);
    (void)edge::dump((*model)->graphs[i]);
    (void)edge::Plan::build(*model, static_cast<int>(i), {});
  }
  return 0;
}
