// DYNAMIC_UPDATE_SLICE: input 0 with input 1 in place of the elements from the start in input 2 on,
// which is moved so that all of input 1 fits. StableHLO's has an input for each axis of the start.
#include <algorithm>
#include <cstring>

#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  size_t bytes = 0, start_bytes = 0;
  bool apart = false;  // each axis of the start is an input
  int rank = 0;
  std::array<int64_t, kMaxRank> last{}, stride{};  // the last start along each axis; bytes
  StridedCopy copy;
};

bool is_stablehlo(const OpView& op) {
  return op.node().opcode == opcode::kSTABLEHLO_DYNAMIC_UPDATE_SLICE;
}

Status check(const OpView& op) {
  const size_t arity = is_stablehlo(op) ? std::max<size_t>(op.input_count(), 2) : 3;
  EDGE_TRY(op.expect_arity(arity, arity, 1));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  for (size_t i = 2; i < arity; ++i) {
    EDGE_TRY(op.expect_input(i, {DType::kInt32, DType::kInt64}));
    EDGE_TRY(op.expect_input(i, {op.in(2).spec.dtype}));
  }
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &part = op.in(1).spec.shape;
  bool fits = part.rank() == x.rank();
  if (is_stablehlo(op)) {
    fits = fits && op.input_count() == 2 + static_cast<size_t>(x.rank());
    for (size_t i = 2; i < op.input_count(); ++i) {
      fits = fits && op.in(i).spec.shape.count() == 1;
    }
  } else {
    const Shape& start = op.in(2).spec.shape;
    fits = fits && start.rank() == 1 && start[0] == x.rank();
  }
  for (int i = 0; fits && i < x.rank(); ++i) fits = part[i] <= x[i];
  if (!fits) {
    return invalid_model(format("a part %s of %s, or a start of another rank",
                                to_string(part).c_str(), to_string(x).c_str()));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& x = op.in(0).spec;
  const Shape& part = op.in(1).spec.shape;
  const size_t element = dtype_size(x.dtype);
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.bytes, byte_size(x.dtype, x.shape));
  s.apart = is_stablehlo(op);
  s.start_bytes = op.input_count() > 2 ? dtype_size(op.in(2).spec.dtype) : 0;
  s.rank = x.shape.rank();
  s.stride = byte_strides(x.shape, element);
  const auto from = byte_strides(part, element);
  StridedCopy copy(element);
  for (int i = 0; i < s.rank; ++i) {
    const size_t axis = static_cast<size_t>(i);
    s.last[axis] = x.shape[i] - part[i];
    copy.add({part[i], from[axis], s.stride[axis]});
  }
  s.copy = copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  uint8_t* out = run.out<uint8_t>(0);
  if (s.bytes) std::memmove(out, run.in<uint8_t>(0), s.bytes);
  for (int i = 0; i < s.rank; ++i) {
    const size_t axis = static_cast<size_t>(i);
    const Indices start(run.in<uint8_t>(s.apart ? 2 + axis : 2), s.start_bytes);
    const int64_t from = start[s.apart ? 0 : i];
    out += std::min(std::max(from, int64_t{0}), s.last[axis]) * s.stride[axis];
  }
  s.copy.run(run.in<uint8_t>(1), out, run.pool());
}

}  // namespace

extern const OpDef op_dynamic_update_slice{check, infer, prepare, eval};

}  // namespace edge
