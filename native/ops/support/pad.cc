#include "ops/support/pad.h"

#include <cstring>

#include "ops/support/fill.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  StridedCopy inside;
  size_t element = 0, bytes = 0;
  uint8_t zero[16] = {};  // the element of a border that is not given
  bool given = false;
};

// before and after, axis by axis.
Result<std::vector<int64_t>> amounts(const OpView& op) {
  const Shape &x = op.in(0).spec.shape, &p = op.in(1).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> values, op.constant_integers(1));
  if (p.rank() != 2 || p[0] != x.rank() || p[1] != 2) {
    return invalid_model(
        format("paddings of shape %s for rank %d", to_string(p).c_str(), x.rank()));
  }
  for (int64_t amount : values) {
    if (amount < 0 || amount > INT32_MAX) {
      return invalid_model(format("a padding of %lld cells", static_cast<long long>(amount)));
    }
  }
  return values;
}

}  // namespace

Status check_pad(const OpView& op, size_t inputs) {
  EDGE_TRY(op.expect_arity(inputs, inputs, 1));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64, DType::kInt8, DType::kInt16}));
  return op.expect_output_as_input();
}

Status infer_pad(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<int64_t> pad, amounts(op));
  const Shape& x = op.in(0).spec.shape;
  for (int i = 0; i < x.rank(); ++i) {
    const size_t before = static_cast<size_t>(2 * i);
    EDGE_TRY(append_extent(pad[before] + x[i] + pad[before + 1], &(*shapes)[0]));
  }
  return {};
}

Status prepare_pad(PrepareContext& op) {
  EDGE_ASSIGN(const std::vector<int64_t> pad, amounts(op));
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  State& s = op.make_state<State>();
  s.element = dtype_size(x.dtype);
  EDGE_ASSIGN(s.bytes, byte_size(y.dtype, y.shape));
  s.given = op.has_input(2);
  if (!s.given) {
    if (y.dtype == DType::kInt8 || y.dtype == DType::kUInt8) {
      s.zero[0] = static_cast<uint8_t>(y.zero_point());
    } else if (y.dtype == DType::kInt16) {
      const int16_t zero = static_cast<int16_t>(y.zero_point());
      std::memcpy(s.zero, &zero, sizeof zero);
    }
  }
  const auto from = byte_strides(x.shape, s.element), to = byte_strides(y.shape, s.element);
  StridedCopy copy(s.element);
  int64_t offset = 0;
  for (size_t i = 0; i < static_cast<size_t>(x.shape.rank()); ++i) {
    copy.add({x.shape[static_cast<int>(i)], from[i], to[i]});
    offset += pad[2 * i] * to[i];
  }
  copy.set_offsets(0, offset);
  s.inside = copy.simplified();
  return {};
}

void eval_pad(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.bytes == 0) return;
  const uint8_t* value = s.given ? run.in<uint8_t>(2) : s.zero;
  uint8_t* out = run.out<uint8_t>(0);
  fill_bytes(out, s.bytes, value, s.element);
  s.inside.run(run.in<uint8_t>(0), out, run.pool());
}

}  // namespace edge
