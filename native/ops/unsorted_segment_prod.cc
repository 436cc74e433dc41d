// UNSORTED_SEGMENT_PROD: the product of the rows with each number.
#include "ops/support/segments.h"

namespace edge {
namespace {

struct Fold {
  template <typename T>
  static T first() {
    return 1;
  }
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_product(a, b);
  }
};

}  // namespace

extern const OpDef op_unsorted_segment_prod{check_segments, infer_segments, prepare_segments,
                                            eval_segments<Fold>};

}  // namespace edge
