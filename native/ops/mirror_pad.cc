// MIRROR_PAD: a border that mirrors the input, with the element at the edge (symmetric) or without.
#include <cstring>

#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  struct Axis {
    int64_t in, out, before, stride;  // elements, elements, elements, bytes
  };
  std::vector<Axis> axes;  // up to the last one with a border: those behind it are one block
  int edge = 0;            // 1: the element at the edge is not mirrored
  size_t block = 0;        // bytes
};

// before and after, axis by axis.
Result<std::vector<int64_t>> amounts(const OpView& op) {
  const Shape &x = op.in(0).spec.shape, &p = op.in(1).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> values, op.constant_integers(1));
  if (p.rank() != 2 || p[0] != x.rank() || p[1] != 2) {
    return invalid_model(
        format("paddings of shape %s for rank %d", to_string(p).c_str(), x.rank()));
  }
  const int edge = op.attributes<MirrorPadAttributes>().symmetric ? 0 : 1;
  for (size_t i = 0; i < values.size(); ++i) {
    const int extent = x[static_cast<int>(i / 2)];
    if (values[i] < 0 || values[i] > std::max(extent - edge, 0)) {
      return invalid_model(
          format("a border of %lld cells mirrors %d", static_cast<long long>(values[i]), extent));
    }
  }
  return values;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<MirrorPadAttributes>());
  EDGE_TRY(check_movement(op, 2));
  return expect_same_codes(op.in(0), op.out(0));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> pad, amounts(op));
  const Shape& x = op.in(0).spec.shape;
  for (int i = 0; i < x.rank(); ++i) {
    const size_t before = static_cast<size_t>(2 * i);
    EDGE_TRY(append_extent(pad[before] + x[i] + pad[before + 1], &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> pad, amounts(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  State& s = op.make_state<State>();
  if (y.shape.count() == 0) return {};
  s.edge = op.attributes<MirrorPadAttributes>().symmetric ? 0 : 1;
  const size_t element = dtype_size(x.dtype);
  const auto strides = byte_strides(x.shape, element);
  int axes = x.shape.rank();
  while (axes > 0 && y.shape[axes - 1] == x.shape[axes - 1]) --axes;
  s.block = static_cast<size_t>(x.shape.count(axes, x.shape.rank())) * element;
  for (int a = 0; a < axes; ++a) {
    const size_t axis = static_cast<size_t>(a);
    s.axes.push_back({x.shape[a], y.shape[a], pad[2 * axis], strides[axis]});
  }
  return {};
}

uint8_t* copy(const State& s, size_t axis, const uint8_t* in, uint8_t* out) {
  if (axis == s.axes.size()) {
    std::memcpy(out, in, s.block);
    return out + s.block;
  }
  const State::Axis& a = s.axes[axis];
  for (int64_t i = -a.before; i < a.out - a.before; ++i) {
    const int64_t from = i < 0 ? s.edge - 1 - i : i < a.in ? i : 2 * a.in - 1 - s.edge - i;
    out = copy(s, axis + 1, in + from * a.stride, out);
  }
  return out;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.block) copy(s, 0, run.in<uint8_t>(0), run.out<uint8_t>(0));
}

}  // namespace

extern const OpDef op_mirror_pad{check, infer, prepare, eval};

}  // namespace edge
