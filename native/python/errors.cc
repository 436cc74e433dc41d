#include "python/errors.h"

#include "python/arrays.h"
#include "python/user_ops.h"

namespace py = pybind11;

namespace edge {

void raise(const Status& status) {
  const char* name = "EdgeError";
  switch (status.code()) {
    case Code::kInvalidModel:
      name = "ModelError";
      break;
    case Code::kUnsupported:
      name = "UnsupportedOpError";
      break;
    case Code::kInvalidArgument:
      name = "InputError";
      break;
    case Code::kResource:
    case Code::kLater:
    case Code::kInternal:
    case Code::kOk:
      name = "BackendError";
      break;
  }
  const py::object type = py::module_::import("edge_sdk.errors").attr(name);
  const py::object cause = py::reinterpret_steal<py::object>(take_user_error());
  if (cause && !PyErr_GivenExceptionMatches(cause.ptr(), PyExc_Exception)) {
    // A KeyboardInterrupt is not the model's affair.
    PyErr_SetObject(py::type::handle_of(cause).ptr(), cause.ptr());
    throw py::error_already_set();
  }
  const py::object error = type(text(status.message()));
  if (cause) PyException_SetCause(error.ptr(), py::object(cause).release().ptr());
  PyErr_SetObject(type.ptr(), error.ptr());
  throw py::error_already_set();
}

void check(const Status& status) {
  if (!status.ok()) raise(status);
}

}  // namespace edge
