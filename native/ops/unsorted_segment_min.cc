// UNSORTED_SEGMENT_MIN: the smallest element of the rows with each number.
#include "ops/support/segments.h"

namespace edge {
namespace {

struct Fold {
  template <typename T>
  static T first() {
    return std::numeric_limits<T>::max();
  }
  template <typename T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};

}  // namespace

extern const OpDef op_unsorted_segment_min{check_segments, infer_segments, prepare_segments,
                                           eval_segments<Fold>};

}  // namespace edge
