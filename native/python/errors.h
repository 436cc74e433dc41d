// A Status becomes an exception of edge_sdk.errors.
#pragma once

#include "base/status.h"

namespace edge {

[[noreturn]] void raise(const Status& status);

void check(const Status& status);

}  // namespace edge
