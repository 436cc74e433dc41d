// A whole and its parts, which lie side by side along one axis of it.
#pragma once

#include <vector>

#include "ops/op.h"
#include "ops/support/strided_copy.h"

namespace edge {

using Copies = std::vector<StridedCopy>;

// Seen from the axis, the whole is `outer` rows, of which part i takes bytes[i] each.
struct Parts {
  int64_t outer = 0;
  std::vector<int64_t> bytes;
};

// Part i has counts[i] of the `axis` of `whole`; both have elements of `element` bytes.
Parts make_parts(const Shape& whole, int axis, const std::vector<int64_t>& counts, size_t element);

// Copies from part i to the whole, and from the whole to part i.
Copies joining(const Parts& parts);
Copies splitting(const Parts& parts);

// Whether each part lies in one piece in the whole, in their order.
inline bool contiguous(const Parts& parts) { return parts.outer == 1; }

// The eval of ops that split input `kInput`; their state is splitting().
template <size_t kInput>
void eval_split(const EvalContext& run) {
  const Copies& copies = run.state<Copies>();
  for (size_t i = 0; i < copies.size(); ++i) {
    copies[i].run(run.in<uint8_t>(kInput), run.out<uint8_t>(i), run.pool());
  }
}

}  // namespace edge
