// What the fuzzers of whole model files share: libFuzzer changes their structure, too.
#pragma once

#include <cstring>

#include "fuzz/mutate.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  if (seed % 4 != 0) {
    if (const size_t changed = edge_mutate(data, size, seed)) return changed;
  }
  return LLVMFuzzerMutate(data, size, most);
}
