// CUSTOM:MaxUnpooling2D: puts each value where a pooling took it from; all else is 0. Indices are
// either int32, a place in the whole output picture, or float32, a place in the value's own window
// as MaxPoolingWithArgmax2D gives it.
#include <algorithm>

#include "ops/op.h"
#include "ops/support/movement.h"
#include "ops/support/options.h"

namespace edge {
namespace {

struct State {
  Pool2DAttributes pool;
  Shape in, out;
  bool within = false;  // indices count within windows
  int64_t before_h = 0, before_w = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(1, {DType::kFloat32, DType::kInt32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return read_pool(op.node().custom_options).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Pool2DAttributes a, read_pool(op.node().custom_options));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 4 || op.in(1).spec.shape != x) {
    return invalid_model(format("values %s at indices %s", to_string(x).c_str(),
                                to_string(op.in(1).spec.shape).c_str()));
  }
  const auto extent = [&](int64_t n, int64_t filter, int64_t stride) {
    if (op.in(1).spec.dtype == DType::kFloat32) return n * filter;
    return a.padding == Padding::kSame ? n * stride : std::max<int64_t>(n - 1, 0) * stride + filter;
  };
  Shape& y = (*shapes)[0];
  y.push_back(x[0]);
  EDGE_TRY(append_extent(extent(x[1], a.filter_h, a.stride_h), &y));
  EDGE_TRY(append_extent(extent(x[2], a.filter_w, a.stride_w), &y));
  y.push_back(x[3]);
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.pool, read_pool(op.node().custom_options));
  s.in = op.in(0).spec.shape;
  s.out = op.out(0).spec.shape;
  s.within = op.in(1).spec.dtype == DType::kFloat32;
  const auto before = [](int64_t n, int64_t filter, int64_t stride, int64_t out) {
    return std::max<int64_t>((n - 1) * stride + filter - out, 0) / 2;
  };
  s.before_h = before(s.in[1], s.pool.filter_h, s.pool.stride_h, s.out[1]);
  s.before_w = before(s.in[2], s.pool.filter_w, s.pool.stride_w, s.out[2]);
  return {};
}

// The place in the output picture, or -1 where the index is none.
int64_t place_within(const State& s, float index, int64_t y, int64_t x, int64_t channel) {
  const int64_t cells = int64_t{s.pool.filter_w} * s.pool.filter_h;
  if (!(index >= 0 && index < static_cast<float>(cells))) return -1;
  const int64_t cell = static_cast<int64_t>(index);
  const int64_t row = y * s.pool.stride_h - s.before_h + cell / s.pool.filter_w;
  const int64_t column = x * s.pool.stride_w - s.before_w + cell % s.pool.filter_w;
  if (row < 0 || row >= s.out[1] || column < 0 || column >= s.out[2]) return -1;
  return (row * s.out[2] + column) * s.out[3] + channel;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float* in = run.in<float>(0);
  float* out = run.out<float>(0);
  const int64_t size = s.out.count(1, 4);
  std::fill_n(out, s.out.count(), 0.f);
  int64_t i = 0;
  for (int64_t batch = 0; batch < s.in[0]; ++batch, out += size) {
    for (int64_t y = 0; y < s.in[1]; ++y) {
      for (int64_t x = 0; x < s.in[2]; ++x) {
        for (int64_t c = 0; c < s.in[3]; ++c, ++i) {
          const int64_t to =
              s.within ? place_within(s, run.in<float>(1)[i], y, x, c) : run.in<int32_t>(1)[i];
          if (to < 0 || to >= size) {
            return run.fail(invalid_argument(
                format("the index of value %lld lies outside", static_cast<long long>(i))));
          }
          out[to] = in[i];
        }
      }
    }
  }
}

}  // namespace

extern const OpDef op_max_unpooling_2d{check, infer, prepare, eval};

}  // namespace edge
