// Between the runtime's tensors and numpy's arrays.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <string_view>

#include "graph/types.h"

namespace edge {

// Names in files are bytes; those that are not UTF-8 are shown with replacement characters.
inline pybind11::str text(std::string_view bytes) {
  return pybind11::reinterpret_steal<pybind11::str>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace"));
}

// Whether numpy has the type.
inline bool in_numpy(DType type) {
  return dtype_size(type) != 0 && type != DType::kBFloat16 && type != DType::kResource;
}

inline pybind11::dtype numpy_dtype(DType type) {
  return pybind11::dtype(std::string(dtype_name(type)));
}

}  // namespace edge
