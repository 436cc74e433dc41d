#include "ops/op.h"

#include <cmath>
#include <cstring>

#include "base/arena.h"
#include "ops/support/by_type.h"
#include "ops/user_op.h"

namespace edge {

#define EDGE_OP(NAME, symbol) extern const OpDef op_##symbol;
#define EDGE_CUSTOM_OP(NAME, symbol) EDGE_OP(NAME, symbol)
#include "ops/ops.inc"
#undef EDGE_OP
#undef EDGE_CUSTOM_OP

const OpDef* find_op(const Node& node) {
  switch (node.opcode) {
#define EDGE_OP(NAME, symbol) \
  case opcode::k##NAME:       \
    return &op_##symbol;
#define EDGE_CUSTOM_OP(NAME, symbol)
#include "ops/ops.inc"
#undef EDGE_OP
#undef EDGE_CUSTOM_OP
    case opcode::kCUSTOM:
      if (const OpDef* def = find_user_op(node.custom_name)) return def;
#define EDGE_OP(NAME, symbol)
#define EDGE_CUSTOM_OP(NAME, symbol) \
  if (node.custom_name == #NAME) return &op_##symbol;
#include "ops/ops.inc"
#undef EDGE_OP
#undef EDGE_CUSTOM_OP
      return nullptr;
    default:
      return nullptr;
  }
}

std::vector<std::string> op_names() {
  return {
#define EDGE_OP(NAME, symbol) #NAME,
#define EDGE_CUSTOM_OP(NAME, symbol) "CUSTOM:" #NAME,
#include "ops/ops.inc"
#undef EDGE_OP
#undef EDGE_CUSTOM_OP
  };
}

Status OpView::expect_arity(size_t required, size_t most, size_t outputs) const {
  if (node_.inputs.size() < required || node_.inputs.size() > most) {
    return invalid_model(
        format("it has %zu inputs, wanted %zu to %zu", node_.inputs.size(), required, most));
  }
  for (size_t i = 0; i < required; ++i) {
    if (!has_input(i)) return invalid_model(format("its input %zu is missing", i));
  }
  if (node_.outputs.size() != outputs) {
    return invalid_model(format("it has %zu outputs, wanted %zu", node_.outputs.size(), outputs));
  }
  return {};
}

namespace {

Status expect_type(const char* which, size_t i, DType type, std::initializer_list<DType> types) {
  std::string wanted;
  for (DType t : types) {
    if (t == type) return {};
    wanted += std::string(wanted.empty() ? "" : ", ") + dtype_name(t);
  }
  return unsupported(
      format("its %s %zu is %s; supported: %s", which, i, dtype_name(type), wanted.c_str()));
}

}  // namespace

Status OpView::expect_input(size_t i, std::initializer_list<DType> types) const {
  return expect_type("input", i, in(i).spec.dtype, types);
}

Status OpView::expect_output(size_t i, std::initializer_list<DType> types) const {
  return expect_type("output", i, out(i).spec.dtype, types);
}

Status OpView::expect_variable(size_t i, DType type, int64_t count) const {
  if (i >= input_count() || !has_input(i) || !in(i).variable) {
    return invalid_model(format("its input %zu must be a variable", i));
  }
  EDGE_TRY(expect_input(i, {type}));
  if (in(i).spec.shape.count() == count) return {};
  return invalid_model(
      format("its state, input %zu, has shape %s", i, to_string(in(i).spec.shape).c_str()));
}

Status OpView::expect_output_as_input(size_t i) const {
  if (out(i).spec.dtype == in(0).spec.dtype) return {};
  return invalid_model(format("its output is %s, but its input is %s",
                              dtype_name(out(i).spec.dtype), dtype_name(in(0).spec.dtype)));
}

Status OpView::expect_quantized(const Value& value) const {
  const TensorSpec& s = value.spec;
  if (s.dtype != DType::kInt8 && s.dtype != DType::kUInt8) return {};
  if (s.quant.scale.size() != 1) {
    return invalid_model(format("tensor '%.100s' has %zu quantization scales, wanted 1",
                                s.name.c_str(), s.quant.scale.size()));
  }
  if (!(s.scale() > 0) || !std::isfinite(s.scale())) {
    return invalid_model(format("tensor '%.100s' has the impossible scale %g", s.name.c_str(),
                                static_cast<double>(s.scale())));
  }
  const int low = s.dtype == DType::kInt8 ? -128 : 0;
  if (s.zero_point() < low || s.zero_point() > low + 255) {
    return invalid_model(format("tensor '%.100s' has zero point %d outside of %s", s.name.c_str(),
                                s.zero_point(), dtype_name(s.dtype)));
  }
  return {};
}

Result<Span<const uint8_t>> OpView::known(size_t i) const {
  const Value& v = in(i);
  if (v.constant) return v.data;
  if (v.data.data()) {
    asked_ |= uint64_t{1} << i;
    return v.data;
  }
  if (!v.open && v.spec.shape.count() == 0) return Span<const uint8_t>();
  return known_later(format("its input %zu is known only while running", i));
}

Result<const Resources*> OpView::resources() const {
  if (!resources_)
    return known_later("it depends on variables, which are known only while running");
  return resources_;
}

Result<std::vector<int64_t>> OpView::constant_integers(size_t i) const {
  EDGE_ASSIGN(const Span<const uint8_t> data, known(i));
  const Value& v = in(i);
  const size_t count = static_cast<size_t>(v.spec.shape.count());
  std::vector<int64_t> values(count);
  bool told = false;
  by_type<int8_t, int16_t, int32_t, int64_t>(v.spec.dtype, [&](auto x) {
    told = true;
    for (size_t k = 0; k < count; ++k) {
      std::memcpy(&x, data.data() + sizeof x * k, sizeof x);
      values[k] = x;
    }
  });
  if (!told) {
    return unsupported(
        format("its input %zu is %s; supported: integers", i, dtype_name(v.spec.dtype)));
  }
  return values;
}

Result<int> OpView::normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return invalid_model(
        format("axis %lld is outside of rank %d", static_cast<long long>(axis), rank));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<std::vector<std::shared_ptr<std::vector<uint8_t>>>> evaluate(const Graph& graph,
                                                                    const Node& node) {
  const OpDef* def = find_op(node);
  if (!def) return unsupported(node.name() + " is not among our ops");
  PrepareContext context(graph, node);
  EDGE_TRY(def->prepare(context));
  // Constants may end right at the end of the file, so they are run from copies with room behind.
  std::vector<Arena> copies;
  std::vector<uint8_t*> inputs, outputs;
  auto place = [&](size_t bytes) -> uint8_t* {
    copies.emplace_back(bytes);
    return copies.back().data();
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!context.has_input(i)) {
      inputs.push_back(nullptr);
      continue;
    }
    const Span<const uint8_t> data = context.in(i).data;
    inputs.push_back(place(data.size()));
    if (!inputs.back()) return Status(Code::kResource, "out of memory");
    if (!data.empty()) std::memcpy(inputs.back(), data.data(), data.size());
  }
  std::vector<size_t> sizes;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    EDGE_ASSIGN(const size_t bytes,
                byte_size(context.out(i).spec.dtype, context.out(i).spec.shape));
    sizes.push_back(bytes);
    outputs.push_back(place(bytes));
    if (!outputs.back()) return Status(Code::kResource, "out of memory");
  }
  uint8_t* scratch = place(context.scratch_per_worker);
  uint8_t* shared = place(context.scratch_shared);
  uint8_t* kept = place(context.kept_bytes);
  if (!scratch || !shared || !kept) return Status(Code::kResource, "out of memory");
  ThreadPool pool(1);
  Status status;
  def->eval(EvalContext(context.state.get(), inputs.data(), outputs.data(), &pool,
                        {scratch, context.scratch_per_worker, shared, kept}, &status));
  EDGE_TRY(status);
  std::vector<std::shared_ptr<std::vector<uint8_t>>> results;
  for (size_t i = 0; i < outputs.size(); ++i) {
    results.push_back(std::make_shared<std::vector<uint8_t>>(outputs[i], outputs[i] + sizes[i]));
  }
  return results;
}

}  // namespace edge
