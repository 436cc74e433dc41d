#include "reader/sparse.h"

#include <cstring>

namespace edge {
namespace {

enum SparsitySlot { kTraversalOrder, kBlockMap, kDimensions };
enum DimensionSlot { kFormat, kSize, kSegmentsType, kSegments, kIndicesType, kIndices };

// A few bytes of file must not fill the memory: a dense constant is no larger than this many bytes
// and so many times its stored ones.
constexpr size_t kFreeBytes = size_t{16} << 20, kMostTimes = 256;

Status wrong(const char* what) { return invalid_model(format("its sparsity: %s", what)); }

// A vector of int32, uint16 or uint8, by the number of its type in a union.
Status read_indices(const Table& t, int type_slot, std::vector<int64_t>* out) {
  const Table holder = t.table(type_slot + 1);
  const auto copy = [&](const auto& from) {
    for (size_t i = 0; i < from.size(); ++i) out->push_back(from[i]);
  };
  switch (t.scalar<uint8_t>(type_slot, 0)) {
    case 1:
      copy(holder.vector<int32_t>(0));
      return {};
    case 2:
      copy(holder.vector<uint16_t>(0));
      return {};
    case 3:
      copy(holder.vector<uint8_t>(0));
      return {};
    default:
      return wrong("segments or indices are missing");
  }
}

// One level of the traversal: how far apart in the dense tensor (in elements) its coordinates lie,
// and how many there are.
struct Level {
  Table table;
  int64_t extent = 0, step = 0;
  bool dense() const { return table.scalar<int8_t>(kFormat, 0) == 0; }
  int64_t size() const { return table.scalar<int32_t>(kSize, 0); }
};

Status read_levels(const Table& sparsity, const Shape& shape, std::vector<Level>* levels) {
  const Vector<int32_t> order = sparsity.vector<int32_t>(kTraversalOrder);
  const Vector<int32_t> blocks = sparsity.vector<int32_t>(kBlockMap);
  const Tables tables = sparsity.tables(kDimensions);
  const size_t rank = static_cast<size_t>(shape.rank());
  if (blocks.size() > rank || order.size() != rank + blocks.size() ||
      tables.size() != order.size()) {
    return wrong("the numbers of its dimensions differ");
  }
  levels->resize(order.size());
  std::vector<int> level_of(order.size(), -1);
  for (size_t l = 0; l < order.size(); ++l) {
    const int32_t d = order[l];
    const bool inside = d >= 0 && static_cast<size_t>(d) < order.size();
    if (!inside || level_of[static_cast<size_t>(d)] >= 0 ||
        (l < rank) != (static_cast<size_t>(d) < rank)) {
      return wrong("its traversal order is no permutation");
    }
    level_of[static_cast<size_t>(d)] = static_cast<int>(l);
    (*levels)[l].table = tables[l];
  }
  for (size_t d = 0; d < rank; ++d) {
    Level& level = (*levels)[static_cast<size_t>(level_of[d])];
    level.extent = shape[static_cast<int>(d)];
    level.step = shape.count(static_cast<int>(d) + 1, shape.rank());
  }
  std::vector<char> blocked(rank, 0);
  for (size_t b = 0; b < blocks.size(); ++b) {
    const int32_t d = blocks[b];
    if (d < 0 || static_cast<size_t>(d) >= rank || blocked[static_cast<size_t>(d)]) {
      return wrong("its block map names a dimension that is not there, or one twice");
    }
    blocked[static_cast<size_t>(d)] = 1;
    Level& outer = (*levels)[static_cast<size_t>(level_of[static_cast<size_t>(d)])];
    Level& inner = (*levels)[static_cast<size_t>(level_of[rank + b])];
    const int64_t size = inner.size();
    if (!inner.dense() || size < 1 || outer.extent % size != 0) {
      return wrong("a block does not divide its dimension");
    }
    inner.extent = size;
    inner.step = outer.step;
    outer.extent /= size;
    outer.step *= size;
  }
  return {};
}

// Replaces the offsets of a level's parents by those of its own coordinates, in stored order.
Status descend(const Level& level, std::vector<size_t>* offsets) {
  std::vector<size_t> finer;
  if (level.dense()) {
    if (level.size() != level.extent) return wrong("a dense dimension's size is not the shape's");
    for (size_t offset : *offsets) {
      for (int64_t i = 0; i < level.extent; ++i) {
        finer.push_back(offset + static_cast<size_t>(i * level.step));
      }
    }
  } else {
    std::vector<int64_t> segments, indices;
    EDGE_TRY(read_indices(level.table, kSegmentsType, &segments));
    EDGE_TRY(read_indices(level.table, kIndicesType, &indices));
    const int64_t count = static_cast<int64_t>(indices.size());
    if (segments.size() != offsets->size() + 1 || segments[0] != 0 || segments.back() != count) {
      return wrong("its segments do not cover its indices");
    }
    for (size_t p = 0; p < offsets->size(); ++p) {
      if (segments[p] > segments[p + 1] || segments[p + 1] > count) {
        return wrong("its segments are not in order");
      }
      for (int64_t i = segments[p]; i < segments[p + 1]; ++i) {
        const int64_t index = indices[static_cast<size_t>(i)];
        const int64_t before = i > segments[p] ? indices[static_cast<size_t>(i) - 1] : -1;
        if (index <= before || index >= level.extent) {
          return wrong("an index is outside of its dimension or not in order");
        }
        finer.push_back((*offsets)[p] + static_cast<size_t>(index * level.step));
      }
    }
  }
  offsets->swap(finer);
  return {};
}

}  // namespace

Status densify(const Table& sparsity, const TensorSpec& spec, Span<const uint8_t> stored,
               std::vector<uint8_t>* dense) {
  const size_t element = dtype_size(spec.dtype);
  if (element == 0) return unsupported(format("sparse %s", dtype_name(spec.dtype)));
  EDGE_ASSIGN(const size_t bytes, byte_size(spec.dtype, spec.shape));
  if (bytes > kFreeBytes && bytes / kMostTimes > stored.size()) {
    return unsupported(
        format("%zu bytes stand for a sparse constant of %zu", stored.size(), bytes));
  }
  std::vector<Level> levels;
  EDGE_TRY(read_levels(sparsity, spec.shape, &levels));
  std::vector<size_t> offsets{0};
  for (const Level& level : levels) EDGE_TRY(descend(level, &offsets));
  if (offsets.size() * element != stored.size())
    return wrong("its values are not as many as it stores");
  dense->assign(bytes, 0);
  for (size_t i = 0; i < offsets.size(); ++i) {
    std::memcpy(dense->data() + offsets[i] * element, stored.data() + i * element, element);
  }
  return {};
}

}  // namespace edge
