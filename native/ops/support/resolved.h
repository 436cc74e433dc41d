// Ops that no plan holds: a pass puts what they stand for in their place. One that is left over
// stands where the pass does not look.
#pragma once

#include "ops/op.h"

namespace edge {

inline Status infer_resolved(const OpView&, std::vector<Shape>*) {
  return unsupported("it stands where it cannot be resolved ahead of running");
}
inline Status prepare_resolved(PrepareContext&) { return internal_error("a call is left over"); }

}  // namespace edge
