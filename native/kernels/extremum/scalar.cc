// The definition.
#include "kernels/extremum/extremum.h"

namespace edge::extremum {

void extremum_x8_scalar(const Args& args) {
  const uint8_t* x = args.x;
  for (size_t r = 0; r < args.rows; ++r, x += args.extent) {
    size_t best = 0;
    for (size_t i = 1; i < args.extent; ++i) {
      if ((x[i] ^ args.flip) < (x[best] ^ args.flip)) best = i;
    }
    args.out[r] = static_cast<int32_t>(best);
  }
}

}  // namespace edge::extremum
