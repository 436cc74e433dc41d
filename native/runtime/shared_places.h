// Which values of a plan may have their bytes in another value's place.
#pragma once

#include <vector>

#include "runtime/layout.h"

namespace edge {

// Where a value's bytes begin: `offset` bytes into the place of `root`, which is its own root.
struct SharedPlace {
  int root;
  size_t offset;
};

// One for each value. Values share a place where
//   - an op only renames its input's bytes (OpDef::alias), unless the caller may write them,
//   - an op can work in place (OpDef::in_place) and nobody reads that input later,
//   - `pieces`: an op joins or cuts what lies side by side anyway (Pieces).
// Values that have a place already, such as constants, keep it.
std::vector<SharedPlace> share_places(const Graph& graph, const std::vector<Access>& steps,
                                      const std::vector<Place>& places, bool pieces);

}  // namespace edge
