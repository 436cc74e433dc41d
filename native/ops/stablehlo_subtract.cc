// STABLEHLO_SUBTRACT: a - b.
#include "ops/support/stablehlo.h"

namespace edge {
namespace {

struct F {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return a - b;
    } else {
      return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
    }
  }
};

}  // namespace

extern const OpDef op_stablehlo_subtract{check_numbers, infer_same_shape, prepare_same_shape,
                                         eval_numbers<F>};

}  // namespace edge
