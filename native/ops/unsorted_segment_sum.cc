// UNSORTED_SEGMENT_SUM: the sum of the rows with each number.
#include "ops/support/segments.h"

namespace edge {
namespace {

struct Fold {
  template <typename T>
  static T first() {
    return 0;
  }
  template <typename T>
  T operator()(T a, T b) const {
    return wrapping_sum(a, b);
  }
};

}  // namespace

extern const OpDef op_unsorted_segment_sum{check_segments, infer_segments, prepare_segments,
                                           eval_segments<Fold>};

}  // namespace edge
