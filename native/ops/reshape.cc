// RESHAPE: the same elements under another shape.
#include <cstring>

#include "ops/op.h"

namespace edge {
namespace {

struct State {
  size_t bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 2, 1));
  EDGE_TRY(op.expect_attributes<ReshapeAttributes>());
  if (dtype_size(op.in(0).spec.dtype) == 0 && op.in(0).spec.dtype != DType::kString) {
    return unsupported(format("%s tensors", dtype_name(op.in(0).spec.dtype)));
  }
  return op.expect_output_as_input();
}

// The wanted shape: what the file says of StableHLO's output; input 1 where it is a constant
// vector, otherwise the attribute, otherwise what the file says of the output.
Result<std::vector<int64_t>> wanted(const OpView& op) {
  if (op.node().opcode == opcode::kSTABLEHLO_RESHAPE) {
    const Shape& y = op.out(0).spec.shape;
    return std::vector<int64_t>(y.begin(), y.end());
  }
  const std::vector<int32_t>& attribute = op.attributes<ReshapeAttributes>().new_shape;
  if (op.has_input(1) && op.in(1).spec.shape.rank() <= 1) return op.constant_integers(1);
  // Old converters wrote a scalar's shape as [0].
  if (attribute.size() == 1 && attribute[0] == 0) return std::vector<int64_t>();
  return std::vector<int64_t>(attribute.begin(), attribute.end());
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> dims, wanted(op));
  if (dims.size() > static_cast<size_t>(kMaxRank))
    return unsupported(format("%zu dimensions", dims.size()));
  const int64_t count = op.in(0).spec.shape.count();
  int64_t known = 1;
  int open = -1;
  Shape shape;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1 && open < 0 && op.node().opcode == opcode::kRESHAPE) {
      open = static_cast<int>(i);
    } else if (dims[i] < 0 || dims[i] > INT32_MAX ||
               __builtin_mul_overflow(known, dims[i], &known)) {
      return invalid_model(format("%lld is no extent", static_cast<long long>(dims[i])));
    }
    shape.push_back(static_cast<int32_t>(dims[i]));
  }
  if (open >= 0) {
    if (known == 0 || count % known) {
      return invalid_model(format("%lld elements do not divide into %s",
                                  static_cast<long long>(count), to_string(shape).c_str()));
    }
    shape[open] = static_cast<int32_t>(count / known);
    known *= count / known;
  }
  if (known != count) {
    return invalid_model(format("%lld elements do not fit %s", static_cast<long long>(count),
                                to_string(shape).c_str()));
  }
  (*shapes)[0] = shape;
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(op.make_state<State>().bytes, byte_size(op.in(0).spec.dtype, op.in(0).spec.shape));
  return {};
}

void eval(const EvalContext& run) {
  const size_t bytes = run.state<State>().bytes;
  if (bytes) std::memmove(run.out<uint8_t>(0), run.in<uint8_t>(0), bytes);
}

}  // namespace

extern const OpDef op_reshape{check, infer, prepare, eval, nullptr, /*alias=*/true};

}  // namespace edge
