#include "reader/reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "reader/attributes.h"
#include "reader/flatbuffer.h"
#include "reader/sparse.h"

namespace edge {
namespace {

// Slots of the schema's tables (schema.fbs, version 3).
namespace slot {
namespace model {
enum {
  kVersion,
  kOperatorCodes,
  kSubgraphs,
  kDescription,
  kBuffers,
  kUnused,
  kMetadata,
  kSignatures
};
}
namespace subgraph {
enum { kTensors, kInputs, kOutputs, kOperators, kName };
}
namespace tensor {
enum { kShape, kType, kBuffer, kName, kQuantization, kVariable, kSparsity, kShapeSignature };
}
namespace op {
enum {
  kCode,
  kInputs,
  kOutputs,
  kOptionsType,
  kOptions,
  kCustomOptions,
  kCustomFormat,
  kMutating,
  kIntermediates,
  kLargeOffset,
  kLargeSize,
  kOptions2Type,
  kOptions2
};
}
namespace op_code {
enum { kDeprecatedBuiltin, kCustom, kVersion, kBuiltin };
}
namespace buffer {
enum { kData, kOffset, kSize };
}
namespace quantization {
enum { kMin, kMax, kScale, kZeroPoint, kDetailsType, kDetails, kDimension };
}
namespace signature {
enum { kInputs, kOutputs, kKey, kUnused, kSubgraph };
}
namespace named {  // TensorMap and Metadata: a name and a number
enum { kName, kNumber };
}
}  // namespace slot

struct OpCode {
  int builtin = 0;
  std::string custom;
  int version = 1;
};

class Parser {
 public:
  explicit Parser(Model* model) : model_(model), file_(model->file) {}

  Status parse() {
    if (model_->file.size() < 8) {
      return invalid_model(format("%zu bytes are too few for a model", model_->file.size()));
    }
    if (std::memcmp(model_->file.data() + 4, "TFL3", 4) != 0) {
      return invalid_model(
          "byte 4: no \"TFL3\" there, so this is not a .tflite file of schema version 3");
    }
    const Table root(&file_, file_.follow(0, "root table"));
    EDGE_TRY(file_.status());
    model_->version = static_cast<int>(root.scalar<uint32_t>(slot::model::kVersion, 0));
    if (file_.status().ok() && model_->version != 3) {
      return invalid_model(format("schema version %d, only 3 is known", model_->version));
    }
    model_->description = root.string(slot::model::kDescription);
    EDGE_TRY(read_buffers(root));
    EDGE_TRY(read_op_codes(root));
    const Tables subgraphs = root.tables(slot::model::kSubgraphs);
    if (file_.status().ok() && subgraphs.size() == 0) return invalid_model("it has no subgraph");
    for (size_t i = 0; i < subgraphs.size(); ++i) {
      Graph graph;
      EDGE_TRY(read_graph(subgraphs[i], &graph).at(format("subgraph %zu", i)));
      EDGE_TRY(verify(graph).at(format("subgraph %zu", i)));
      model_->graphs.push_back(std::move(graph));
    }
    EDGE_TRY(verify_calls(model_->graphs));
    find_bodies();
    EDGE_TRY(read_signatures(root));
    EDGE_TRY(read_metadata(root));
    return file_.status();
  }

 private:
  Status read_buffers(const Table& root) {
    const Tables buffers = root.tables(slot::model::kBuffers);
    for (size_t i = 0; i < buffers.size(); ++i) {
      const Table b = buffers[i];
      Span<const uint8_t> data = b.vector<uint8_t>(slot::buffer::kData).bytes();
      // Files above 2 GiB keep the bytes behind the flatbuffer; offsets 0 and 1 mean "not so".
      const uint64_t offset = b.scalar<uint64_t>(slot::buffer::kOffset, 0);
      if (offset > 1) {
        const uint64_t size = b.scalar<uint64_t>(slot::buffer::kSize, 0);
        if (offset > model_->file.size() || size > model_->file.size() - offset) {
          return invalid_model(format("buffer %zu lies outside of the file", i));
        }
        data = {model_->file.data() + offset, static_cast<size_t>(size)};
      }
      buffers_.push_back(data);
      EDGE_TRY(file_.status());
    }
    return file_.status();
  }

  Status read_op_codes(const Table& root) {
    const Tables codes = root.tables(slot::model::kOperatorCodes);
    for (size_t i = 0; i < codes.size(); ++i) {
      const Table t = codes[i];
      OpCode code;
      // Numbers above 126 do not fit the old byte, older files lack the new field: the larger one
      // counts.
      code.builtin = std::max<int>(t.scalar<int8_t>(slot::op_code::kDeprecatedBuiltin, 0),
                                   t.scalar<int32_t>(slot::op_code::kBuiltin, 0));
      code.custom = t.string(slot::op_code::kCustom);
      code.version = t.scalar<int32_t>(slot::op_code::kVersion, 1);
      EDGE_TRY(file_.status());
      if (code.builtin < 0 || code.builtin >= opcode::kCount) {
        return invalid_model(
            format("operator code %zu has the impossible number %d", i, code.builtin));
      }
      codes_.push_back(std::move(code));
    }
    return file_.status();
  }

  Status read_graph(const Table& t, Graph* graph) {
    graph->name = t.string(slot::subgraph::kName);
    const Tables tensors = t.tables(slot::subgraph::kTensors);
    graph->values.reserve(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      Value value;
      EDGE_TRY(read_tensor(tensors[i], &value).at(format("tensor %zu", i)));
      graph->values.push_back(std::move(value));
    }
    graph->inputs = read_ints(t, slot::subgraph::kInputs);
    graph->outputs = read_ints(t, slot::subgraph::kOutputs);
    const Tables operators = t.tables(slot::subgraph::kOperators);
    graph->nodes.reserve(operators.size());
    for (size_t i = 0; i < operators.size(); ++i) {
      Node node;
      EDGE_TRY(read_op(operators[i], &node).at(format("op %zu", i)));
      node.origin = {static_cast<int>(i)};
      graph->nodes.push_back(std::move(node));
    }
    return file_.status();
  }

  // Graphs that combine elements are known once all graphs are.
  void find_bodies() {
    for (Graph& graph : model_->graphs) {
      for (Node& node : graph.nodes) {
        const auto* scatter = std::get_if<StablehloScatterAttributes>(&node.attributes);
        const auto* windows = std::get_if<StablehloReduceWindowAttributes>(&node.attributes);
        const int i = scatter ? scatter->body : windows ? windows->body : -1;
        if (i < 0 || static_cast<size_t>(i) >= model_->graphs.size()) continue;
        const std::vector<Node>& nodes = model_->graphs[static_cast<size_t>(i)].nodes;
        if (nodes.size() < 2) node.body = nodes.empty() ? kSecondOfTwo : nodes[0].opcode;
      }
    }
  }

  std::vector<int> read_ints(const Table& t, int slot) {
    const Vector<int32_t> v = t.vector<int32_t>(slot);
    std::vector<int> out(v.size());
    for (size_t i = 0; i < v.size(); ++i) out[i] = v[i];
    return out;
  }

  Status read_shape(const Table& t, int slot, Shape* shape) {
    const Vector<int32_t> dims = t.vector<int32_t>(slot);
    if (dims.size() > static_cast<size_t>(kMaxRank)) {
      return unsupported(format("%zu dimensions, at most %d are supported", dims.size(), kMaxRank));
    }
    for (size_t i = 0; i < dims.size(); ++i) shape->push_back(dims[i]);
    return {};
  }

  Status read_tensor(const Table& t, Value* value) {
    TensorSpec& spec = value->spec;
    spec.name = t.string(slot::tensor::kName);
    const int type = t.scalar<int8_t>(slot::tensor::kType, 0);
    if (type < 0 || type >= kDTypeCount) {
      return unsupported(
          format("'%.100s' has element type %d, which is unknown here", spec.name.c_str(), type));
    }
    spec.dtype = static_cast<DType>(type);
    EDGE_TRY(read_shape(t, slot::tensor::kShape, &spec.shape));
    EDGE_TRY(read_shape(t, slot::tensor::kShapeSignature, &spec.shape_signature));
    EDGE_TRY(read_quantization(t.table(slot::tensor::kQuantization), spec.shape, &spec.quant));
    value->variable = t.scalar<uint8_t>(slot::tensor::kVariable, 0) != 0;
    const uint32_t buffer = t.scalar<uint32_t>(slot::tensor::kBuffer, 0);
    EDGE_TRY(file_.status());
    if (buffer >= buffers_.size() && buffer != 0) {
      return invalid_model(
          format("'%.100s' names buffer %u of %zu", spec.name.c_str(), buffer, buffers_.size()));
    }
    // Buffer 0 is the empty one by convention, and so are all without bytes.
    if (buffer < buffers_.size() && !buffers_[buffer].empty()) {
      value->constant = true;
      const Table sparsity = t.table(slot::tensor::kSparsity);
      value->data = aligned(buffers_[buffer], dtype_size(spec.dtype));
      if (sparsity.present()) {
        auto dense = std::make_shared<std::vector<uint8_t>>();
        const Status s = densify(sparsity, spec, value->data, dense.get());
        EDGE_TRY(file_.status());
        EDGE_TRY(s);
        value->data = {dense->data(), dense->size()};
        model_->copies.push_back(std::move(dense));
      }
    }
    if (value->constant && value->variable)
      return invalid_model("it is both a constant and a variable");
    return {};
  }

  // The format promises 16 bytes of alignment; a file that lies about it is copied, not refused.
  Span<const uint8_t> aligned(Span<const uint8_t> data, size_t alignment) {
    if (alignment < 2 || reinterpret_cast<uintptr_t>(data.data()) % alignment == 0) return data;
    auto copy = std::make_shared<std::vector<uint8_t>>(data.begin(), data.end());
    model_->copies.push_back(copy);
    return {copy->data(), copy->size()};
  }

  Status read_quantization(const Table& t, const Shape& shape, Quantization* q) {
    const Vector<float> scale = t.vector<float>(slot::quantization::kScale);
    const Vector<int64_t> zero_point = t.vector<int64_t>(slot::quantization::kZeroPoint);
    EDGE_TRY(file_.status());
    if (scale.size() == 0 || zero_point.size() == 0) return {};
    if (zero_point.size() != 1 && zero_point.size() != scale.size()) {
      return invalid_model(
          format("%zu scales, but %zu zero points", scale.size(), zero_point.size()));
    }
    // Biases of some files name the filter's dimension.
    q->dimension = shape.rank() == 1 ? 0 : t.scalar<int32_t>(slot::quantization::kDimension, 0);
    if (scale.size() > 1 &&
        (q->dimension < 0 || q->dimension >= shape.rank() ||
         scale.size() != static_cast<size_t>(std::max(shape[q->dimension], 0)))) {
      return invalid_model(format("%zu scales along dimension %d do not suit shape %s",
                                  scale.size(), q->dimension, to_string(shape).c_str()));
    }
    for (size_t i = 0; i < scale.size(); ++i) {
      const int64_t z = zero_point[zero_point.size() == 1 ? 0 : i];
      if (z < INT32_MIN || z > INT32_MAX) return invalid_model("a zero point does not fit 32 bits");
      q->scale.push_back(scale[i]);
      q->zero_point.push_back(static_cast<int32_t>(z));
    }
    return {};
  }

  Status read_op(const Table& t, Node* node) {
    const uint32_t code = t.scalar<uint32_t>(slot::op::kCode, 0);
    EDGE_TRY(file_.status());
    if (code >= codes_.size()) {
      return invalid_model(format("it names operator code %u of %zu", code, codes_.size()));
    }
    node->opcode = codes_[code].builtin;
    node->custom_name = codes_[code].custom;
    node->version = codes_[code].version;
    node->inputs = read_ints(t, slot::op::kInputs);
    node->outputs = read_ints(t, slot::op::kOutputs);
    node->intermediates = read_ints(t, slot::op::kIntermediates);
    node->custom_options = t.vector<uint8_t>(slot::op::kCustomOptions).bytes();
    const int options = t.scalar<uint8_t>(slot::op::kOptionsType, 0);
    EDGE_TRY(
        read_attributes(options, t.table(slot::op::kOptions), &node->attributes).at(node->name()));
    const int second = t.scalar<uint8_t>(slot::op::kOptions2Type, 0);
    if (options == 0 && second != 0) {
      EDGE_TRY(
          read_attributes(kSecondOptions + second, t.table(slot::op::kOptions2), &node->attributes)
              .at(node->name()));
    }
    return file_.status();
  }

  Status read_signatures(const Table& root) {
    const Tables tables = root.tables(slot::model::kSignatures);
    for (size_t i = 0; i < tables.size(); ++i) {
      const Table t = tables[i];
      Signature s;
      s.key = t.string(slot::signature::kKey);
      const uint32_t graph = t.scalar<uint32_t>(slot::signature::kSubgraph, 0);
      EDGE_TRY(file_.status());
      if (graph >= model_->graphs.size()) {
        return invalid_model(
            format("signature %zu names subgraph %u of %zu", i, graph, model_->graphs.size()));
      }
      s.graph = static_cast<int>(graph);
      const size_t values = model_->graphs[graph].values.size();
      EDGE_TRY(read_names(t.tables(slot::signature::kInputs), values, &s.inputs));
      EDGE_TRY(read_names(t.tables(slot::signature::kOutputs), values, &s.outputs));
      model_->signatures.push_back(std::move(s));
    }
    return file_.status();
  }

  Status read_names(const Tables& tables, size_t values, std::map<std::string, int>* out) {
    for (size_t i = 0; i < tables.size(); ++i) {
      const Table t = tables[i];
      const uint32_t index = t.scalar<uint32_t>(slot::named::kNumber, 0);
      EDGE_TRY(file_.status());
      if (index >= values)
        return invalid_model(format("a signature names tensor %u of %zu", index, values));
      (*out)[t.string(slot::named::kName)] = static_cast<int>(index);
    }
    return file_.status();
  }

  Status read_metadata(const Table& root) {
    const Tables tables = root.tables(slot::model::kMetadata);
    for (size_t i = 0; i < tables.size(); ++i) {
      const Table t = tables[i];
      const uint32_t buffer = t.scalar<uint32_t>(slot::named::kNumber, 0);
      EDGE_TRY(file_.status());
      if (buffer >= buffers_.size()) {
        return invalid_model(
            format("metadata %zu names buffer %u of %zu", i, buffer, buffers_.size()));
      }
      model_->metadata[t.string(slot::named::kName)] = buffers_[buffer];
    }
    return file_.status();
  }

  Model* model_;
  Buffer file_;
  std::vector<Span<const uint8_t>> buffers_;
  std::vector<OpCode> codes_;
};

Result<std::shared_ptr<const Model>> parse(std::shared_ptr<const void> storage,
                                           Span<const uint8_t> bytes, bool mapped) {
  auto model = std::make_shared<Model>();
  model->storage = std::move(storage);
  model->file = bytes;
  model->mapped = mapped;
  EDGE_TRY(Parser(model.get()).parse());
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace

Result<std::shared_ptr<const Model>> read_bytes(Span<const uint8_t> bytes) {
  auto copy = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
  const Span<const uint8_t> view(copy->data(), copy->size());
  return parse(std::move(copy), view, false);
}

Result<std::shared_ptr<const Model>> read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return invalid_argument(format("cannot open '%s': %s", path.c_str(), std::strerror(errno)));
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return invalid_argument(format("'%s' is not a regular file", path.c_str()));
  }
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    close(fd);
    return invalid_model("0 bytes are too few for a model");
  }
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  close(fd);
  if (data == MAP_FAILED) {
    return invalid_argument(format("cannot map '%s': %s", path.c_str(), std::strerror(error)));
  }
  std::shared_ptr<const void> storage(
      data, [size](const void* p) { munmap(const_cast<void*>(p), size); });
  return parse(std::move(storage), {static_cast<const uint8_t*>(data), size}, true);
}

void drop_pages(const Model& model) {
  if (!model.mapped) return;
  madvise(const_cast<uint8_t*>(model.file.data()), model.file.size(), MADV_DONTNEED);
}

}  // namespace edge
