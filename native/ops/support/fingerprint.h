// FarmHash's Fingerprint64: the same 64 bits of the same bytes, everywhere and for ever.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edge {

uint64_t fingerprint(const uint8_t* data, size_t size);

}  // namespace edge
