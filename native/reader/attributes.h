// Options table of a builtin operator -> its typed attributes.
#pragma once

#include "graph/attributes.h"
#include "reader/flatbuffer.h"

namespace edge {

// `number` is the BuiltinOptions union's tag. Options that attributes.inc does not list give
// monostate: ops without attributes ignore theirs.
Status read_attributes(int number, const Table& options, Attributes* out);

}  // namespace edge
