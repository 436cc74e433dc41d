// Custom ops whose functions are Python's.
#pragma once

#include <pybind11/pybind11.h>

namespace edge {

// Defines register_op and unregister_op.
void bind_user_ops(pybind11::module_& m);

// The exception of a user's function that made the last call in this thread fail, as a new
// reference, or nullptr. Forgets it.
PyObject* take_user_error();

}  // namespace edge
