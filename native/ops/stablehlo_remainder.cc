// STABLEHLO_REMAINDER: what is left of a when b is taken off it as often as it fits, with the sign
// of a. Nothing is taken off where an integer b is 0.
#include <cmath>

#include "ops/support/stablehlo.h"

namespace edge {
namespace {

struct F {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::fmod(a, b);
    } else {
      if (b == 0) return a;
      if (std::is_signed_v<T> && b == static_cast<T>(-1))
        return 0;  // the lowest one has no negative
      return static_cast<T>(a % b);
    }
  }
};

}  // namespace

extern const OpDef op_stablehlo_remainder{check_numbers, infer_same_shape, prepare_same_shape,
                                          eval_numbers<F>};

}  // namespace edge
