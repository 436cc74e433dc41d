// Python bindings: the GIL is dropped while running, a Status becomes an exception. No logic.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/thread_pool.h"
#include "kernels/gemm/gemm.h"
#include "kernels/peak/peak.h"
#include "ops/support/strings.h"
#include "python/arrays.h"
#include "python/errors.h"
#include "python/user_ops.h"
#include "reader/reader.h"
#include "runtime/plan.h"
#include "runtime/session.h"

namespace py = pybind11;

namespace edge {
namespace {

template <typename T>
T take(Result<T> result) {
  if (!result.ok()) raise(result.status());
  return std::move(*result);
}

// Whatever keeps a file from being read is the file's fault: a ModelError that names it.
std::shared_ptr<Model> take_model(Result<std::shared_ptr<const Model>> result,
                                  const std::string& name) {
  if (!result.ok()) {
    const Status& s = result.status();
    raise((s.code() == Code::kInternal ? s : invalid_model(s.message())).at(name));
  }
  return std::const_pointer_cast<Model>(std::move(*result));
}

std::vector<int> to_list(const Shape& shape) { return {shape.begin(), shape.end()}; }

Shape to_shape(const std::vector<int64_t>& dims) {
  if (dims.size() > static_cast<size_t>(kMaxRank)) {
    raise(invalid_argument(
        format("%zu dimensions, at most %d are supported", dims.size(), kMaxRank)));
  }
  Shape shape;
  for (int64_t d : dims) {
    if (d < 0 || d > INT32_MAX)
      raise(invalid_argument("a shape holds a negative or too large extent"));
    shape.push_back(static_cast<int32_t>(d));
  }
  return shape;
}

template <typename T>
py::array to_array(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::dict describe_value(const Value& value, const TensorSpec& s, int index) {
  size_t bytes = value.constant ? value.data.size() : 0;
  if (!value.constant) {
    const Result<size_t> size = byte_size(s.dtype, s.shape);
    if (size.ok()) bytes = *size;
  }
  py::dict d;
  d["name"] = text(s.name);
  d["index"] = index;
  d["shape"] = to_list(s.shape);
  d["shape_signature"] = to_list(s.shape_signature.rank() ? s.shape_signature : s.shape);
  d["dtype"] = dtype_name(s.dtype);
  d["scales"] = to_array(s.quant.scale);
  d["zero_points"] = to_array(s.quant.zero_point);
  d["dimension"] = s.quant.dimension;
  d["constant"] = value.constant;
  d["variable"] = value.variable;
  d["open"] = value.open;
  d["bytes"] = bytes;
  return d;
}

const Graph& graph_of(const Model& model, int index) {
  if (index < 0 || static_cast<size_t>(index) >= model.graphs.size()) {
    raise(invalid_argument(format("subgraph %d of %zu", index, model.graphs.size())));
  }
  return model.graphs[static_cast<size_t>(index)];
}

const Value& value_of(const Graph& graph, int index) {
  if (index < 0 || static_cast<size_t>(index) >= graph.values.size()) {
    raise(invalid_argument(format("tensor %d of %zu", index, graph.values.size())));
  }
  return graph.values[static_cast<size_t>(index)];
}

py::bytes to_bytes(Span<const uint8_t> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// An array of bytes objects, as TFLite's interpreter gives strings.
py::array strings_of(const TensorSpec& spec, const uint8_t* data) {
  const std::vector<py::ssize_t> dims(spec.shape.begin(), spec.shape.end());
  py::array out(py::dtype("O"), dims);
  const Strings strings(data);
  auto* items = static_cast<PyObject**>(out.mutable_data());
  for (int64_t i = 0; i < spec.shape.count(); ++i) {
    Py_XDECREF(items[i]);
    items[i] = py::bytes(std::string(strings[i])).release().ptr();
  }
  return out;
}

py::array array_of(const TensorSpec& spec, const uint8_t* data, py::handle base) {
  std::vector<py::ssize_t> dims(spec.shape.begin(), spec.shape.end());
  if (!in_numpy(spec.dtype)) {
    raise(unsupported(format("%s tensors have no numpy type", dtype_name(spec.dtype))));
  }
  return py::array(numpy_dtype(spec.dtype), dims, data, base);
}

// Open values change their memory and shape while a session runs.
void expect_at_rest(const Session& session, const Value& value) {
  if (value.open && session.running()) {
    raise(invalid_argument("the session is running in another thread"));
  }
}

py::list nodes_of(const Model& model, int index) {
  const Graph& graph = graph_of(model, index);
  py::list out;
  for (const Node& node : graph.nodes) {
    py::dict attributes;
    for (const auto& [name, value] : describe(node.attributes)) attributes[py::str(name)] = value;
    py::dict d;
    d["op"] = text(node.name());
    d["inputs"] = node.inputs;
    d["outputs"] = node.outputs;
    d["attributes"] = attributes;
    const OpDef* def = find_op(node);
    const OpView view(graph, node);
    d["macs"] = def && def->macs && def->check(view).ok() ? def->macs(view) : 0;
    out.append(d);
  }
  return out;
}

py::dict names_of(const std::map<std::string, int>& names) {
  py::dict out;
  for (const auto& [name, value] : names) out[text(name)] = value;
  return out;
}

py::dict signatures_of(const Model& model) {
  py::dict out;
  for (const Signature& s : model.signatures) {
    py::dict d;
    d["subgraph"] = s.graph;
    d["inputs"] = names_of(s.inputs);
    d["outputs"] = names_of(s.outputs);
    out[text(s.key)] = d;
  }
  return out;
}

// A ZIP's end-of-central-directory record lies within its last 64 KiB + 22 bytes.
py::bytes appended_of(const Model& model) {
  const Span<const uint8_t> file = model.file;
  static constexpr uint8_t kMark[] = {'P', 'K', 5, 6};
  const size_t window = file.size() < 65557 ? file.size() : 65557;
  for (size_t i = file.size() - window; i + 22 <= file.size(); ++i) {
    if (std::equal(kMark, kMark + 4, file.data() + i)) return to_bytes(file);
  }
  return py::bytes();
}

std::shared_ptr<const Plan> build_plan(std::shared_ptr<const Model> model,
                                       const std::map<int, std::vector<int64_t>>& shapes,
                                       bool preserve_all, int subgraph,
                                       const std::map<int, std::string>& kernels, size_t tile_bytes,
                                       const Limits& limits) {
  graph_of(*model, subgraph);
  PlanOptions options;
  for (const auto& [value, dims] : shapes) options.input_shapes[value] = to_shape(dims);
  options.preserve_all = preserve_all;
  options.kernels = kernels;
  options.tile_bytes = tile_bytes;
  options.limits = limits;
  Result<std::shared_ptr<const Plan>> plan = [&] {
    py::gil_scoped_release release;
    return Plan::build(std::move(model), subgraph, options);
  }();
  return take(std::move(plan));
}

py::list describe_steps(const std::vector<Step>& steps) {
  py::list out;
  for (const Step& s : steps) {
    py::dict d;
    d["op"] = text(s.op);
    d["kernel"] = s.kernel;
    d["candidates"] = s.candidates;
    d["nodes"] = s.nodes;
    d["inputs"] = s.inputs;
    d["outputs"] = s.outputs;
    d["macs"] = s.macs;
    d["bytes"] = s.packed_bytes;
    d["parts"] = describe_steps(s.parts);
    out.append(d);
  }
  return out;
}

py::list allocations_of(const Plan& plan) {
  py::list out;
  for (size_t i = 0; i < plan.places().size(); ++i) {
    const Place& p = plan.places()[i];
    if (p.kind != Place::kArena) continue;
    const TensorSpec& s = plan.graph().values[i].spec;
    const Result<size_t> bytes = byte_size(s.dtype, s.shape);
    py::dict d;
    d["tensor"] = i;
    d["offset"] = p.offset;
    d["bytes"] = bytes.ok() ? *bytes : 0;
    d["first"] = p.first;
    d["last"] = p.last;
    out.append(d);
  }
  return out;
}

// For each type the kernel's name and its 1e9 multiply-accumulates a second.
py::dict peaks(int threads) {
  if (threads < 1 || threads > 1024) {
    raise(invalid_argument(format("%d threads, wanted 1 to 1024", threads)));
  }
  Features features = 0;
  check(active_features(&features));
  py::dict out;
  for (const auto& [name, type] :
       {std::pair("int8", peak::Type::kInt8), std::pair("float32", peak::Type::kFloat32)}) {
    const peak::Kernel* kernel = peak::select(features, type);
    if (kernel == nullptr) continue;
    double rate;
    {
      py::gil_scoped_release release;
      rate = peak::gmac_per_s(*kernel, threads);
    }
    out[name] = py::make_tuple(kernel->name, rate);
  }
  return out;
}

}  // namespace

PYBIND11_MODULE(_native, m) {
  m.doc() = "The native runtime; use edge_sdk.load, not this.";

  py::class_<Model, std::shared_ptr<Model>>(m, "ParsedModel")
      .def_static("from_path",
                  [](const std::string& path) { return take_model(read_file(path), path); })
      .def_static("from_bytes",
                  [](const py::bytes& data) {
                    const std::string_view view = data;
                    return take_model(
                        read_bytes({reinterpret_cast<const uint8_t*>(view.data()), view.size()}),
                        "model");
                  })
      .def_readonly("version", &Model::version)
      .def_property_readonly("description",
                             [](const Model& model) { return text(model.description); })
      .def_property_readonly("subgraph_count",
                             [](const Model& model) { return model.graphs.size(); })
      .def(
          "tensors",
          [](const Model& model, int subgraph) {
            py::list out;
            const Graph& graph = graph_of(model, subgraph);
            for (size_t i = 0; i < graph.values.size(); ++i) {
              out.append(
                  describe_value(graph.values[i], graph.values[i].spec, static_cast<int>(i)));
            }
            return out;
          },
          py::arg("subgraph") = 0)
      .def(
          "inputs",
          [](const Model& model, int subgraph) { return graph_of(model, subgraph).inputs; },
          py::arg("subgraph") = 0)
      .def(
          "outputs",
          [](const Model& model, int subgraph) { return graph_of(model, subgraph).outputs; },
          py::arg("subgraph") = 0)
      .def("nodes", &nodes_of, py::arg("subgraph") = 0)
      .def("signatures", &signatures_of)
      .def("metadata",
           [](const Model& model) {
             py::dict out;
             for (const auto& [name, data] : model.metadata) out[text(name)] = to_bytes(data);
             return out;
           })
      .def("appended", &appended_of)
      .def(
          "constant",
          [](const Model& model, int tensor, int subgraph) {
            const Value& v = value_of(graph_of(model, subgraph), tensor);
            if (!v.constant)
              raise(invalid_argument(format("tensor %d is no plain constant", tensor)));
            if (v.spec.dtype == DType::kString) return strings_of(v.spec, v.data.data());
            return array_of(v.spec, v.data.data(), py::handle());
          },
          py::arg("tensor"), py::arg("subgraph") = 0)
      .def("missing_ops", [](const Model& model) {
        std::vector<std::tuple<int, py::str, py::str>> out;
        for (const MissingOp& op : missing_ops(model, 0)) {
          out.emplace_back(op.node, text(op.op), text(op.reason));
        }
        return out;
      });

  py::class_<Limits>(m, "Limits")
      .def(py::init<>())
      .def_readwrite("memory_bytes", &Limits::memory_bytes)
      .def_readwrite("tensors", &Limits::tensors)
      .def_readwrite("nesting", &Limits::nesting)
      .def_readwrite("loop_steps", &Limits::loop_steps)
      .def_readwrite("seconds", &Limits::seconds);

  py::class_<SessionState, std::shared_ptr<SessionState>>(m, "SessionState").def(py::init<>());

  py::class_<Plan, std::shared_ptr<Plan>>(m, "Plan")
      .def(py::init([](std::shared_ptr<Model> model,
                       const std::map<int, std::vector<int64_t>>& shapes, bool preserve_all,
                       int subgraph, const std::map<int, std::string>& kernels, size_t tile_bytes,
                       const Limits& limits) {
             return std::const_pointer_cast<Plan>(build_plan(
                 std::move(model), shapes, preserve_all, subgraph, kernels, tile_bytes, limits));
           }),
           py::arg("model"), py::arg("input_shapes") = std::map<int, std::vector<int64_t>>(),
           py::arg("preserve_all") = false, py::arg("subgraph") = 0,
           py::arg("kernels") = std::map<int, std::string>(), py::arg("tile_bytes") = 0,
           py::arg("limits") = Limits())
      .def_property_readonly("arena_bytes", &Plan::arena_bytes)
      .def_property_readonly("weight_bytes", &Plan::weight_bytes)
      .def_property_readonly("scratch_per_worker", &Plan::scratch_per_worker)
      .def("inputs", [](const Plan& plan) { return plan.graph().inputs; })
      .def("outputs", [](const Plan& plan) { return plan.graph().outputs; })
      .def("tensor",
           [](const Plan& plan, int index) -> py::object {
             const Value& v = value_of(plan.graph(), index);
             if (plan.place(index).kind == Place::kNone && !v.open) return py::none();
             return describe_value(v, v.spec, index);
           })
      .def("steps", [](const Plan& plan) { return describe_steps(plan.steps()); })
      .def("allocations", &allocations_of);

  py::class_<Session, std::shared_ptr<Session>>(m, "Session")
      .def(py::init(
               [](std::shared_ptr<Plan> plan, int threads, std::shared_ptr<SessionState> state) {
                 return take(Session::create(std::move(plan), threads, std::move(state)));
               }),
           py::arg("plan"), py::arg("threads") = 1, py::arg("state") = nullptr)
      .def("tensor",
           [](const Session& session, int tensor) {
             const Value& v = value_of(session.plan().graph(), tensor);
             expect_at_rest(session, v);
             return describe_value(v, session.spec(tensor), tensor);
           })
      .def("set_strings",
           [](Session& session, int tensor, const std::vector<int64_t>& dims,
              const std::vector<std::string>& strings) {
             const Value& v = value_of(session.plan().graph(), tensor);
             expect_at_rest(session, v);
             if (v.spec.dtype != DType::kString) raise(invalid_argument("it holds no strings"));
             check(session.set_strings(tensor, to_shape(dims), strings));
           })
      .def("view",
           [](const py::object& self, int tensor) {
             const Session& session = self.cast<const Session&>();
             const Value& v = value_of(session.plan().graph(), tensor);
             expect_at_rest(session, v);
             const TensorSpec& spec = session.spec(tensor);
             const uint8_t* data = session.data(tensor);
             if (!data && v.open) {
               raise(invalid_argument(
                   format("tensor %d '%.100s' has no value before the model has run", tensor,
                          v.spec.name.c_str())));
             }
             if (!data && v.spec.shape.count() != 0) {
               raise(invalid_argument(
                   format("tensor %d '%.100s' does not exist while running: it was optimized away",
                          tensor, v.spec.name.c_str())));
             }
             if (spec.dtype == DType::kString) return strings_of(spec, data);
             // The next run may give an open value other memory.
             using Held = std::shared_ptr<const Chunk>;
             const py::object base =
                 v.open ? py::object(py::capsule(new Held(session.chunk(tensor)),
                                                 [](void* p) { delete static_cast<Held*>(p); }))
                        : self;
             py::array view = array_of(spec, data, base);
             if (session.plan().place(tensor).kind == Place::kConstant)
               view.attr("setflags")(py::arg("write") = false);
             return view;
           })
      .def("run",
           [](Session& session) {
             Status status;
             {
               py::gil_scoped_release release;
               status = session.run();
             }
             check(status);
           })
      .def("run_profiled",
           [](Session& session) {
             std::vector<int64_t> nanoseconds;
             Status status;
             {
               py::gil_scoped_release release;
               status = session.run(&nanoseconds);
             }
             check(status);
             return nanoseconds;
           })
      .def(
          "reset",
          [](Session& session, bool resources) {
            session.reset();
            if (resources) session.reset_resources();
          },
          py::arg("resources") = true);

  bind_user_ops(m);
  m.def("available_threads", &available_threads);
  m.def("peaks", &peaks, py::arg("threads") = 1);
  m.def("op_names", &op_names);
  m.def("version", [] { return EDGE_VERSION; });
  m.def("isa", [] {
    Features features;
    check(active_features(&features));
    return isa_name(features);
  });
  m.def("sparse_block", [] { return py::make_tuple(gemm::kBlockCols, gemm::kBlockDepth); });
  m.def("detected_isas", [] { return isa_names(detect_features()); });
}

}  // namespace edge
