// STABLEHLO_PAD: the elements of input 0 with so many cells between them, and a border, which where
// it is negative takes away. The other cells hold input 1.
#include "ops/support/fill.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

constexpr int64_t kMost = INT32_MAX;

struct State {
  size_t bytes = 0, element = 0;
  StridedCopy copy;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloPadAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<StablehloPadAttributes>();
  const Shape& x = op.in(0).spec.shape;
  const size_t rank = static_cast<size_t>(x.rank());
  bool fits = a.low.size() == rank && a.high.size() == rank && a.interior.size() == rank &&
              op.in(1).spec.shape.count() == 1;
  for (size_t i = 0; fits && i < rank; ++i) {
    for (int64_t v : {a.low[i], a.high[i]}) fits = fits && v >= -kMost && v <= kMost;
    fits = fits && a.interior[i] >= 0 && a.interior[i] <= kMost;
    if (!fits) break;
    const int64_t n = x[static_cast<int>(i)];
    const int64_t cells = a.low[i] + a.high[i] + n + (n ? (n - 1) * a.interior[i] : 0);
    if (cells < 0) return invalid_model("its border takes away more than there is");
    EDGE_TRY(append_extent(cells, &(*shapes)[0]));
  }
  if (fits) return {};
  return invalid_model(
      format("a border of rank %zu around %s", a.low.size(), to_string(x).c_str()));
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<StablehloPadAttributes>();
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.element = dtype_size(x.dtype);
  EDGE_ASSIGN(s.bytes, byte_size(y.dtype, y.shape));
  const auto from = byte_strides(x.shape, s.element), to = byte_strides(y.shape, s.element);
  StridedCopy copy(s.element);
  int64_t in_offset = 0, out_offset = 0;
  for (int i = 0; i < x.shape.rank(); ++i) {
    const size_t axis = static_cast<size_t>(i);
    const int64_t step = a.interior[axis] + 1, low = a.low[axis];
    // Element k comes to cell low + k * step: the first one inside, and how many are.
    const int64_t first = low < 0 ? (-low + step - 1) / step : 0;
    const int64_t cell = low + first * step;
    const int64_t room = cell < y.shape[i] ? (y.shape[i] - 1 - cell) / step + 1 : 0;
    const int64_t count = std::max<int64_t>(std::min(room, x.shape[i] - first), 0);
    copy.add({count, from[axis], count > 1 ? to[axis] * step : 0});
    if (count == 0) continue;
    in_offset += first * from[axis];
    out_offset += cell * to[axis];
  }
  copy.set_offsets(in_offset, out_offset);
  s.copy = copy.simplified();
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  fill_bytes(run.out<uint8_t>(0), s.bytes, run.in<uint8_t>(1), s.element);
  s.copy.run(run.in<uint8_t>(0), run.out<uint8_t>(0), run.pool());
}

}  // namespace

extern const OpDef op_stablehlo_pad{check, infer, prepare, eval};

}  // namespace edge
