// GATHER: y[b, o, i, n] = x[b, o, index[b, i], n], where b runs over batch_dims leading axes, o
// over those up to the gathered axis and n over those behind it.
#include <cstring>

#include "ops/support/indices.h"
#include "ops/support/movement.h"
#include "ops/support/strings.h"

namespace edge {
namespace {

struct State {
  int64_t batches = 0, outer = 0, indices = 0, extent = 0;
  size_t inner = 0;  // bytes, or strings
  bool strings = false;
  size_t index_bytes = 0;
};

Status outside(int64_t index, int64_t extent) {
  return invalid_argument(format("index %lld is outside of an axis of %lld",
                                 static_cast<long long>(index), static_cast<long long>(extent)));
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<GatherAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(expect_movable(op, 0, /*strings=*/true));
  EDGE_TRY(expect_indices(op, 1));
  return op.expect_output_as_input();
}

struct Axes {
  int axis = 0, batch = 0;
};

Result<Axes> axes_of(const OpView& op) {
  const auto& a = op.attributes<GatherAttributes>();
  const Shape &x = op.in(0).spec.shape, &index = op.in(1).spec.shape;
  Axes axes;
  EDGE_ASSIGN(axes.axis, OpView::normalize_axis(a.axis, x.rank()));
  axes.batch = a.batch_dims < 0 ? a.batch_dims + index.rank() : a.batch_dims;
  bool fits = axes.batch >= 0 && axes.batch <= axes.axis && axes.batch <= index.rank();
  for (int i = 0; fits && i < axes.batch; ++i) fits = x[i] == index[i];
  if (fits) return axes;
  return invalid_model(format("%d batch axes of %s and %s, gathered along axis %d", a.batch_dims,
                              to_string(x).c_str(), to_string(index).c_str(), axes.axis));
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Axes axes, axes_of(op));
  const Shape &x = op.in(0).spec.shape, &index = op.in(1).spec.shape;
  Shape& y = (*shapes)[0];
  for (int i = 0; i < axes.axis; ++i) EDGE_TRY(append_extent(x[i], &y));
  for (int i = axes.batch; i < index.rank(); ++i) EDGE_TRY(append_extent(index[i], &y));
  for (int i = axes.axis + 1; i < x.rank(); ++i) EDGE_TRY(append_extent(x[i], &y));
  return {};
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const Axes axes, axes_of(op));
  const Shape &x = op.in(0).spec.shape, &index = op.in(1).spec.shape;
  State& s = op.make_state<State>();
  s.extent = x[axes.axis];
  s.index_bytes = dtype_size(op.in(1).spec.dtype);
  const Value& given = op.in(1);
  const Indices known(given.data.data(), s.index_bytes);
  for (int64_t i = 0; given.constant && i < index.count(); ++i) {
    if (known[i] < 0 || known[i] >= s.extent) {
      return invalid_model(outside(known[i], s.extent).message());
    }
  }
  s.strings = op.in(0).spec.dtype == DType::kString;
  if (op.out(0).spec.shape.count() == 0) return {};
  s.batches = x.count(0, axes.batch);
  s.outer = x.count(axes.batch, axes.axis);
  s.indices = index.count(axes.batch, index.rank());
  s.inner = static_cast<size_t>(x.count(axes.axis + 1, x.rank()));
  if (!s.strings) s.inner *= dtype_size(op.in(0).spec.dtype);
  return {};
}

void eval_strings(const EvalContext& run) {
  const State& s = run.state<State>();
  const Indices index(run.in<uint8_t>(1), s.index_bytes);
  const Strings in(run.in<uint8_t>(0));
  const int64_t inner = static_cast<int64_t>(s.inner);
  for (int64_t i = 0; i < s.batches * s.indices; ++i) {
    if (index[i] < 0 || index[i] >= s.extent) return run.fail(outside(index[i], s.extent));
  }
  write_strings(run, 0, s.batches * s.outer * s.indices * inner, [&](int64_t k) {
    const int64_t i = k / inner % s.indices, o = k / inner / s.indices;
    return in[(o * s.extent + index[o / s.outer * s.indices + i]) * inner + k % inner];
  });
}

void eval(const EvalContext& run) {
  if (run.state<State>().strings) return eval_strings(run);
  const State& s = run.state<State>();
  const Indices index(run.in<uint8_t>(1), s.index_bytes);
  const uint8_t* in = run.in<uint8_t>(0);
  uint8_t* out = run.out<uint8_t>(0);
  const int64_t inner = static_cast<int64_t>(s.inner);
  for (int64_t b = 0; b < s.batches; ++b) {
    for (int64_t o = 0; o < s.outer; ++o) {
      for (int64_t i = 0; i < s.indices; ++i) {
        const int64_t at = index[b * s.indices + i];
        if (at < 0 || at >= s.extent) return run.fail(outside(at, s.extent));
        std::memcpy(out, in + at * inner, s.inner);
        out += inner;
      }
      in += s.extent * inner;
    }
  }
}

}  // namespace

extern const OpDef op_gather{check, infer, prepare, eval};

}  // namespace edge
