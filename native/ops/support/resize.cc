#include "ops/support/resize.h"

#include "ops/support/movement.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

constexpr int64_t kMostPixels = 1 << 16;

}  // namespace

Status check_resize(const OpView& op, std::initializer_list<DType> types) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, types));
  EDGE_TRY(op.expect_input(1, {DType::kInt32}));
  return op.expect_output_as_input();
}

Status infer_resize(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> size, op.constant_integers(1));
  if (x.rank() != 4 || size.size() != 2) {
    return invalid_model(format("%s to %zu extents, wanted 4 dimensions and 2 extents",
                                to_string(x).c_str(), size.size()));
  }
  if (size[0] < 1 || size[1] < 1 || x[1] < 1 || x[2] < 1) {
    return invalid_model(format("%s to %lld x %lld", to_string(x).c_str(),
                                static_cast<long long>(size[0]), static_cast<long long>(size[1])));
  }
  // The ops keep a table of places per axis.
  if (size[0] > kMostPixels || size[1] > kMostPixels) {
    return unsupported(
        format("pictures of more than %lld pixels a side", static_cast<long long>(kMostPixels)));
  }
  for (int64_t extent : {int64_t{x[0]}, size[0], size[1], int64_t{x[3]}}) {
    EDGE_TRY(append_extent(extent, &(*shapes)[0]));
  }
  return {};
}

ResizeShape resize_shape(const OpView& op) {
  const Shape &x = op.in(0).spec.shape, &y = op.out(0).spec.shape;
  if (y.count() == 0) return {};
  return {x[0], x[1], x[2], y[1], y[2], x[3]};
}

void for_each_row(const EvalContext& run, const ResizeShape& shape,
                  const std::function<void(int64_t b, int64_t y, int worker)>& row) {
  const size_t rows = static_cast<size_t>(shape.batches * shape.out_h);
  const size_t elements = static_cast<size_t>(shape.out_w * shape.channels);
  if (rows == 0) return;
  // A few thousand elements are worth waking a thread.
  const Chunks chunks =
      cut(rows, (4096 + elements - 1) / elements, static_cast<size_t>(run.pool().threads()));
  run.pool().run(chunks.count, [&](size_t chunk, int worker) {
    const size_t first = chunk * chunks.size;
    for (size_t i = first; i < std::min(first + chunks.size, rows); ++i) {
      row(static_cast<int64_t>(i) / shape.out_h, static_cast<int64_t>(i) % shape.out_h, worker);
    }
  });
}

}  // namespace edge
