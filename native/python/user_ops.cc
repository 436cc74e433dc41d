#include "python/user_ops.h"

#include <pybind11/numpy.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ops/user_op.h"
#include "python/arrays.h"
#include "python/errors.h"

namespace py = pybind11;

namespace edge {
namespace {

thread_local PyObject* user_error = nullptr;

// A function that may be let go of in any thread, or when Python is gone already.
std::shared_ptr<py::object> hold(py::object function) {
  return {new py::object(std::move(function)), [](py::object* held) {
            if (!Py_IsInitialized()) {
              (void)held->release();
            } else {
              const py::gil_scoped_acquire gil;
              *held = py::object();
            }
            delete held;
          }};
}

py::tuple to_tuple(const Shape& shape) {
  py::tuple dims(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) dims[static_cast<size_t>(i)] = shape[i];
  return dims;
}

py::bytes options_of(const UserNode& node) {
  return {reinterpret_cast<const char*>(node.options.data()), node.options.size()};
}

bool given(const TensorSpec& s, const uint8_t* data) { return data || s.shape.count() == 0; }

// Runs `body` with the GIL; what it throws becomes a Status, kept for the caller to be raised from.
template <typename F>
Status guarded(const char* what, const F& body) {
  const py::gil_scoped_acquire gil;
  try {
    return body();
  } catch (py::error_already_set& error) {
    const std::string kind = py::str(error.type().attr("__name__"));
    std::string words;
    try {
      words = py::str(error.value());
    } catch (py::error_already_set&) {
      words = "it has no words";
    }
    Py_XDECREF(user_error);
    user_error = error.value().inc_ref().ptr();
    return internal_error(std::string(what) + " raised " + kind + ": " + words);
  } catch (const std::exception& error) {
    return internal_error(std::string(what) + ": " + error.what());
  }
}

// A copy: what a function keeps of its arguments stays valid, and it cannot write into the model.
py::object argument(const TensorSpec& s, const uint8_t* data) {
  if (!given(s, data)) return py::none();
  const std::vector<py::ssize_t> dims(s.shape.begin(), s.shape.end());
  return py::array(numpy_dtype(s.dtype), dims, data);
}

Status store(const py::handle& result, const TensorSpec& s, size_t i, uint8_t* data) {
  const py::array array =
      py::module_::import("numpy").attr("asarray")(result, py::arg("order") = "C");
  const py::tuple shape = array.attr("shape");
  if (!array.dtype().equal(numpy_dtype(s.dtype)) || !shape.equal(to_tuple(s.shape))) {
    return internal_error(format("its function gave %s%s as output %zu, wanted %s%s",
                                 std::string(py::str(array.dtype())).c_str(),
                                 std::string(py::str(shape)).c_str(), i, dtype_name(s.dtype),
                                 to_string(s.shape).c_str()));
  }
  if (array.nbytes()) std::memcpy(data, array.data(), static_cast<size_t>(array.nbytes()));
  return {};
}

// One array stands for a list of one.
py::list as_list(const py::object& result, size_t wanted) {
  if (wanted == 1 && !py::isinstance<py::list>(result) && !py::isinstance<py::tuple>(result)) {
    py::list one;
    one.append(result);
    return one;
  }
  return py::list(result);
}

Status call(const py::object& function, const UserNode& node, const EvalContext& run) {
  py::list inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.append(argument(node.inputs[i], run.in<uint8_t>(i)));
  }
  const py::list results = as_list(function(inputs, options_of(node)), node.outputs.size());
  if (results.size() != node.outputs.size()) {
    return internal_error(
        format("its function gave %zu outputs, wanted %zu", results.size(), node.outputs.size()));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    EDGE_TRY(store(results[i], node.outputs[i], i, run.out<uint8_t>(i)));
  }
  return {};
}

Result<DType> to_dtype(const py::handle& given) {
  const py::dtype wanted = py::dtype::from_args(py::reinterpret_borrow<py::object>(given));
  for (int i = 0; i < kDTypeCount; ++i) {
    const DType type = static_cast<DType>(i);
    if (in_numpy(type) && wanted.equal(numpy_dtype(type))) return type;
  }
  return internal_error("its inference gives the type " + std::string(py::str(wanted)) +
                        ", which models do not have");
}

Status infer(const py::object& function, const UserNode& node, std::vector<Shape>* shapes,
             std::vector<DType>* types) {
  py::list inputs;
  for (const TensorSpec& s : node.inputs) {
    inputs.append(py::make_tuple(to_tuple(s.shape), numpy_dtype(s.dtype)));
  }
  const py::list results(function(inputs, options_of(node)));
  shapes->clear();
  types->clear();
  for (const py::handle& result : results) {
    const py::sequence pair = py::reinterpret_borrow<py::sequence>(result);
    if (!py::isinstance<py::sequence>(result) || pair.size() != 2) {
      return internal_error("its inference gives no list of (shape, dtype)");
    }
    Shape shape;
    for (const py::handle& extent : py::list(pair[0])) {
      const int64_t n = py::cast<int64_t>(extent);
      if (n < 0 || n > INT32_MAX || shape.rank() == kMaxRank) {
        return internal_error("its inference gives the impossible shape " +
                              std::string(py::str(pair[0])));
      }
      shape.push_back(static_cast<int32_t>(n));
    }
    EDGE_ASSIGN(const DType type, to_dtype(pair[1]));
    shapes->push_back(shape);
    types->push_back(type);
  }
  return {};
}

Status make(const std::string& name, const py::object& run, const py::object& inference) {
  UserOp op;
  op.run = [held = hold(run)](const UserNode& node, const EvalContext& context) {
    return guarded("its function", [&] { return call(*held, node, context); });
  };
  if (!inference.is_none()) {
    op.infer = [held = hold(inference)](const UserNode& node, std::vector<Shape>* shapes,
                                        std::vector<DType>* types) {
      return guarded("its inference", [&] { return infer(*held, node, shapes, types); });
    };
  }
  return register_user_op(name, std::move(op));
}

}  // namespace

void bind_user_ops(py::module_& m) {
  m.def(
      "register_op",
      [](const std::string& name, const py::object& function, const py::object& inference) {
        check(make(name, function, inference));
      },
      py::arg("name"), py::arg("function"), py::arg("infer") = py::none());
  m.def("unregister_op", &unregister_user_op, py::arg("name"));
}

PyObject* take_user_error() { return std::exchange(user_error, nullptr); }

}  // namespace edge
