// Running out of memory in a container of the standard library, as a Status.
#pragma once

#include <new>
#include <stdexcept>

#include "base/status.h"

namespace edge {

template <typename F>
auto guarded(const F& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return Status(Code::kResource, "out of memory");
  } catch (const std::length_error&) {
    return Status(Code::kResource, "out of memory");
  }
}

}  // namespace edge
