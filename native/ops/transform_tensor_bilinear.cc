// CUSTOM:TransformTensorBilinear, version 2: a picture whose pixels are taken from another one,
// [1, h, w, c], where a matrix says, between four pixels. Pixels count from their centres; what
// lies outside is 0.
#include <algorithm>
#include <cmath>

#include "ops/support/options.h"
#include "ops/support/transform.h"

namespace edge {
namespace {

struct State {
  int32_t rows = 0, columns = 0;  // of the input
  int32_t width = 0, height = 0;  // of the output
  int64_t depth = 0;
};

Status read_options(const OpView& op, State* s) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(op.node().custom_options));
  EDGE_TRY(read_integer(map, "output_width", 1, INT32_MAX, &s->width));
  return read_integer(map, "output_height", 1, INT32_MAX, &s->height);
}

Status check(const OpView& op) {
  EDGE_TRY(check_transform(op));
  State unused;
  return read_options(op, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  State s;
  EDGE_TRY(read_options(op, &s));
  EDGE_TRY(expect_matrix(op));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 4 || x[0] != 1) {
    return invalid_model(format("a picture %s, wanted [1,h,w,c]", to_string(x).c_str()));
  }
  (*shapes)[0] = {1, s.height, s.width, x[3]};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_TRY(read_options(op, &s));
  const Shape& x = op.in(0).spec.shape;
  s.rows = x[1];
  s.columns = x[2];
  s.depth = x[3];
  return {};
}

void sample(const State& s, const float* picture, float x, float y, float* out) {
  // Not the other way round: a matrix may give NaN.
  const bool inside = x >= 0 && x <= static_cast<float>(s.columns - 1) && y >= 0 &&
                      y <= static_cast<float>(s.rows - 1);
  if (!inside) {
    std::fill_n(out, s.depth, 0.f);
    return;
  }
  const int32_t left = static_cast<int32_t>(x), top = static_cast<int32_t>(y);
  const float u = x - static_cast<float>(left), v = y - static_cast<float>(top);
  // Behind the last pixel is nothing; it has no weight either.
  const int64_t right = left + 1 < s.columns ? s.depth : 0;
  const int64_t below = top + 1 < s.rows ? s.columns * s.depth : 0;
  const float* p = picture + (int64_t{top} * s.columns + left) * s.depth;
  for (int64_t c = 0; c < s.depth; ++c) {
    const float upper = (1 - u) * p[c] + u * p[c + right];
    const float lower = (1 - u) * p[c + below] + u * p[c + below + right];
    out[c] = (1 - v) * upper + v * lower;
  }
}

// Row `m` of the matrix for corners of pixels: half a pixel is added before and taken off after.
// Rounded in these steps, since a border's pixel is inside or not by its last bit.
struct Row {
  float m[4];
  explicit Row(const float* row) : m{row[0], row[1], row[2], 0} {
    const double x = static_cast<double>(row[0]), y = static_cast<double>(row[1]);
    m[3] = static_cast<float>(static_cast<double>(row[3]) + (x * 0.5 + y * 0.5 - 0.5));
  }
};

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const float* picture = run.in<float>(0);
  const Row across(run.in<float>(1)), down(run.in<float>(1) + 4);
  float* out = run.out<float>(0);
  run.pool().run(static_cast<size_t>(s.height), [&](size_t row, int) {
    const float y = static_cast<float>(row);
    float* to = out + static_cast<int64_t>(row) * s.width * s.depth;
    for (int32_t column = 0; column < s.width; ++column, to += s.depth) {
      const float x = static_cast<float>(column);
      sample(s, picture, transformed(across.m, x, y), transformed(down.m, x, y), to);
    }
  });
}

}  // namespace

extern const OpDef op_transform_tensor_bilinear{check, infer, prepare, eval};

}  // namespace edge
