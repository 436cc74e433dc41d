// UNSORTED_SEGMENT_MAX: the largest element of the rows with each number.
#include "ops/support/segments.h"

namespace edge {
namespace {

struct Fold {
  template <typename T>
  static T first() {
    return std::numeric_limits<T>::lowest();
  }
  template <typename T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};

}  // namespace

extern const OpDef op_unsorted_segment_max{check_segments, infer_segments, prepare_segments,
                                           eval_segments<Fold>};

}  // namespace edge
