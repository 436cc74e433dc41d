// Arrays that hold one element over and over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace edge {

inline void fill_bytes(uint8_t* out, size_t bytes, const uint8_t* value, size_t element) {
  if (bytes == 0) return;
  if (element == 1) {
    std::memset(out, *value, bytes);
    return;
  }
  // Doubles what is filled, since elements have sizes that memset does not know.
  std::memcpy(out, value, element);
  for (size_t done = element; done < bytes;) {
    const size_t more = std::min(done, bytes - done);
    std::memcpy(out + done, out, more);
    done += more;
  }
}

}  // namespace edge
