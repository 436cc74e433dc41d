// Where the values of a graph lie while its steps run.
#pragma once

#include <vector>

#include "base/span.h"
#include "ops/op.h"

namespace edge {

// Where a value's bytes are while a session runs.
struct Place {
  enum Kind { kNone, kArena, kVariable, kConstant } kind = kNone;
  size_t offset = 0;              // in the arena or the block of variables
  const uint8_t* data = nullptr;  // of a constant
  int first = 0, last = 0;        // lifetime in steps
};

// What a step does to values.
struct Access {
  Span<const int> inputs, outputs;       // inputs may be kAbsent
  bool alias = false, in_place = false;  // as in OpDef
  Pieces pieces;
};

struct Layout {
  std::vector<Place> places;  // by value; kNone for those that no step touches
  size_t arena_bytes = 0, variable_bytes = 0;
};

// preserve_all: all values live throughout, each in a place of its own.
Result<Layout> lay_out(const Graph& graph, const std::vector<Access>& steps, bool preserve_all);

}  // namespace edge
