#include "ops/support/batch_blocks.h"

#include "ops/support/movement.h"

namespace edge {
namespace {

struct Sizes {
  std::vector<int64_t> block, border;  // per spatial axis; before and after per spatial axis
};

Result<Sizes> sizes(const OpView& op) {
  const Shape &x = op.in(0).spec.shape, &b = op.in(1).spec.shape, &p = op.in(2).spec.shape;
  const int axes = x.rank() - 2;
  if (axes < 1 || axes > 2 || b.rank() != 1 || b[0] != axes || p.rank() != 2 || p[0] != axes ||
      p[1] != 2) {
    return invalid_model(format("blocks %s and borders %s for %s", to_string(b).c_str(),
                                to_string(p).c_str(), to_string(x).c_str()));
  }
  Sizes s;
  EDGE_ASSIGN(s.block, op.constant_integers(1));
  EDGE_ASSIGN(s.border, op.constant_integers(2));
  for (int64_t n : s.block) {
    if (n < 1 || n > INT32_MAX) {
      return invalid_model(format("a block of %lld cells", static_cast<long long>(n)));
    }
  }
  for (int64_t n : s.border) {
    if (n < 0 || n > INT32_MAX) {
      return invalid_model(format("a border of %lld cells", static_cast<long long>(n)));
    }
  }
  return s;
}

}  // namespace

Status check_batch_blocks(const OpView& op) {
  EDGE_TRY(check_movement(op, 3));
  return expect_same_codes(op.in(0), op.out(0));
}

Status infer_space_to_batch(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Sizes s, sizes(op));
  const Shape& x = op.in(0).spec.shape;
  int64_t batches = x[0];
  Shape inner;
  for (size_t i = 0; i < s.block.size(); ++i) {
    const int64_t extent = x[static_cast<int>(i) + 1] + s.border[2 * i] + s.border[2 * i + 1];
    if (extent % s.block[i] != 0 || __builtin_mul_overflow(batches, s.block[i], &batches)) {
      return invalid_model(format("%lld cells do not divide into blocks of %lld",
                                  static_cast<long long>(extent),
                                  static_cast<long long>(s.block[i])));
    }
    EDGE_TRY(append_extent(extent / s.block[i], &inner));
  }
  EDGE_TRY(append_extent(batches, &(*shapes)[0]));
  for (int32_t extent : inner) (*shapes)[0].push_back(extent);
  (*shapes)[0].push_back(x[x.rank() - 1]);
  return {};
}

Status infer_batch_to_space(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Sizes s, sizes(op));
  const Shape& x = op.in(0).spec.shape;
  int64_t batches = x[0];
  Shape inner;
  for (size_t i = 0; i < s.block.size(); ++i) {
    if (batches % s.block[i] != 0) {
      return invalid_model(format("%d batches do not divide into blocks", x[0]));
    }
    batches /= s.block[i];
    const int64_t extent = x[static_cast<int>(i) + 1] * s.block[i];
    EDGE_TRY(append_extent(extent - s.border[2 * i] - s.border[2 * i + 1], &inner));
  }
  EDGE_TRY(append_extent(batches, &(*shapes)[0]));
  for (int32_t extent : inner) (*shapes)[0].push_back(extent);
  (*shapes)[0].push_back(x[x.rank() - 1]);
  return {};
}

Status prepare_batch_blocks(PrepareContext& op, const Shape& picture, const Shape& small) {
  EDGE_ASSIGN(const Sizes s, sizes(op));
  const TensorSpec& x = op.in(0).spec;
  const bool wide = picture.rank() == 4;
  BatchBlocks& b = op.make_state<BatchBlocks>();
  b.element = dtype_size(x.dtype);
  if (op.out(0).spec.shape.count() == 0) return {};
  b.cell = static_cast<size_t>(picture[picture.rank() - 1]) * b.element;
  b.batches = picture[0];
  b.height = picture[1];
  b.width = wide ? picture[2] : 1;
  b.rows = small[1];
  b.columns = wide ? small[2] : 1;
  b.block_h = s.block[0];
  b.block_w = wide ? s.block[1] : 1;
  b.top = s.border[0];
  b.left = wide ? s.border[2] : 0;
  if (b.element == 1) b.border = static_cast<uint8_t>(x.zero_point());
  return {};
}

}  // namespace edge
