// STABLEHLO_DYNAMIC_SLICE: as many elements of input 0 as the options say along each axis, from the
// place that the other inputs name, moved so that all of them exist.
#include <algorithm>

#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  size_t start_bytes = 0;
  std::vector<int64_t> last, stride;  // the last start along each axis; bytes
  StridedCopy copy;
};

const std::vector<int64_t>& sizes_of(const OpView& op) {
  return op.attributes<StablehloDynamicSliceAttributes>().sizes;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloDynamicSliceAttributes>());
  const size_t arity = sizes_of(op).size() + 1;
  EDGE_TRY(op.expect_arity(arity, arity, 1));
  EDGE_TRY(expect_movable(op, 0));
  for (size_t i = 1; i < arity; ++i) {
    EDGE_TRY(op.expect_input(i, {DType::kInt32, DType::kInt64}));
    EDGE_TRY(op.expect_input(i, {op.in(1).spec.dtype}));
  }
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  const std::vector<int64_t>& sizes = sizes_of(op);
  bool fits = sizes.size() == static_cast<size_t>(x.rank());
  for (size_t i = 0; fits && i < sizes.size(); ++i) {
    fits =
        sizes[i] >= 0 && sizes[i] <= x[static_cast<int>(i)] && op.in(i + 1).spec.shape.count() == 1;
    if (fits) (*shapes)[0].push_back(static_cast<int32_t>(sizes[i]));
  }
  if (fits) return {};
  return invalid_model(
      format("a slice of %zu axes, or too large, of %s", sizes.size(), to_string(x).c_str()));
}

Status prepare(PrepareContext& op) {
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  State& s = op.make_state<State>();
  StridedCopy copy(element);
  for (int i = 0; i < x.shape.rank(); ++i) {
    const size_t axis = static_cast<size_t>(i);
    s.last.push_back(x.shape[i] - y.shape[i]);
    s.stride.push_back(from[axis]);
    copy.add({y.shape[i], from[axis], to[axis]});
  }
  s.start_bytes = x.shape.rank() ? dtype_size(op.in(1).spec.dtype) : 0;
  s.copy = copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const uint8_t* in = run.in<uint8_t>(0);
  for (size_t i = 0; i < s.last.size(); ++i) {
    const int64_t start = Indices(run.in<uint8_t>(i + 1), s.start_bytes)[0];
    in += std::min(std::max(start, int64_t{0}), s.last[i]) * s.stride[i];
  }
  s.copy.run(in, run.out<uint8_t>(0), run.pool());
}

}  // namespace

extern const OpDef op_stablehlo_dynamic_slice{check, infer, prepare, eval};

}  // namespace edge
