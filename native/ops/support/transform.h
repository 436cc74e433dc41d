// What takes a matrix of Landmarks2TransformMatrix.
#pragma once

#include "ops/op.h"

namespace edge {

// Two float32 inputs, of which the second has 16 numbers once shapes are known, and version 2.
inline Status check_transform(const OpView& op) {
  if (op.node().version != 2) {
    return unsupported(format("its version %d; supported: 2", op.node().version));
  }
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  EDGE_TRY(op.expect_input(1, {DType::kFloat32}));
  return op.expect_output(0, {DType::kFloat32});
}
inline Status expect_matrix(const OpView& op) {
  const Shape& shape = op.in(1).spec.shape;
  if (shape.count() == 16) return {};
  return invalid_model(format("a matrix of shape %s", to_string(shape).c_str()));
}

// Row `m` of a matrix for the point (x, y).
inline float transformed(const float* m, float x, float y) { return m[0] * x + m[1] * y + m[3]; }

}  // namespace edge
