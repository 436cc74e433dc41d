// CUSTOM:Landmarks2TransformMatrix, version 2: the matrix [1, 4, 4] that takes pixels of an upright
// picture of some landmarks (of [1, n, 3]) to where they are, for TransformTensorBilinear. The
// picture is turned so that two landmarks lie at a wanted angle, and fits a subset of landmarks,
// scaled.
#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ops/support/options.h"

namespace edge {
namespace {

struct State {
  int32_t left = 0, right = 0;
  float angle = 0;
  float scale_x = 0, scale_y = 0;
  int32_t width = 0, height = 0;  // of the picture
  std::vector<int64_t> subset;
};

Result<State> read_options(const OpView& op) {
  if (op.node().version != 2) {
    return unsupported(format("its version %d; supported: 2", op.node().version));
  }
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(op.node().custom_options));
  State s;
  EDGE_TRY(read_integer(map, "left_rotation_idx", 0, INT32_MAX, &s.left));
  EDGE_TRY(read_integer(map, "right_rotation_idx", 0, INT32_MAX, &s.right));
  EDGE_TRY(read_integer(map, "output_width", 1, INT32_MAX, &s.width));
  EDGE_TRY(read_integer(map, "output_height", 1, INT32_MAX, &s.height));
  EDGE_TRY(read_float(map, "target_rotation_radians", &s.angle));
  EDGE_TRY(read_float(map, "scale_x", &s.scale_x));
  EDGE_TRY(read_float(map, "scale_y", &s.scale_y));
  EDGE_ASSIGN(s.subset, map.integers("subset_idxs"));
  if (s.subset.empty()) return invalid_model("its custom options name no landmarks");
  return s;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  return read_options(op).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const State s, read_options(op));
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 3 || x[0] != 1 || x[2] != 3) {
    return invalid_model(format("landmarks %s, wanted [1,n,3]", to_string(x).c_str()));
  }
  std::vector<int64_t> used = s.subset;
  used.push_back(s.left);
  used.push_back(s.right);
  for (int64_t i : used) {
    if (i < 0 || i >= x[1]) {
      return invalid_model(format("landmark %lld of %d", static_cast<long long>(i), x[1]));
    }
  }
  (*shapes)[0] = {1, 4, 4};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s, read_options(op));
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const auto landmark = [&](int64_t i) { return run.in<float>(0) + 3 * i; };
  const float *left = landmark(s.left), *right = landmark(s.right);
  const float turn = s.angle - std::atan2(right[1] - left[1], right[0] - left[0]);
  const float cosine = std::cos(turn), sine = std::sin(turn);
  // The box around the landmarks, once they are turned.
  float low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
  for (int64_t i : s.subset) {
    const float* p = landmark(i);
    const float x = cosine * p[0] - sine * p[1], y = sine * p[0] + cosine * p[1];
    low_x = std::min(low_x, x);
    high_x = std::max(high_x, x);
    low_y = std::min(low_y, y);
    high_y = std::max(high_y, y);
  }
  const float width = static_cast<float>(s.width), height = static_cast<float>(s.height);
  const float scale_x = s.scale_x * (high_x - low_x) / width;
  const float scale_y = s.scale_y * (high_y - low_y) / height;
  // A pixel's place in the box, counted from its centre, is turned back.
  const float x = (low_x + high_x) / 2 - scale_x * width / 2;
  const float y = (low_y + high_y) / 2 - scale_y * height / 2;
  const float matrix[16] = {
      cosine * scale_x,
      sine * scale_y,
      0,
      cosine * x + sine * y,  //
      -sine * scale_x,
      cosine * scale_y,
      0,
      -sine * x + cosine * y,  //
      0,
      0,
      1,
      0,  //
      0,
      0,
      0,
      1,
  };
  std::copy_n(matrix, 16, run.out<float>(0));
}

}  // namespace

extern const OpDef op_landmarks_to_transform_matrix{check, infer, prepare, eval};

}  // namespace edge
