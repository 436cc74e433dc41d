// EMBEDDING_LOOKUP_SPARSE: rows of a table, weighted and added up in buckets. Row ids[i] goes to
// the bucket that indices[i], but for its last number, names in an array of shape `shape`.
// Neighbours with one bucket are a group, whose sum is divided by that of the weights, or by the
// root of that of their squares.
#include <cmath>
#include <cstring>

#include "ops/support/movement.h"

namespace edge {
namespace {

enum Input : size_t { kIds, kIndices, kShape, kWeights, kTable };
enum Combiner : int8_t { kSum, kMean, kRoot };

struct State {
  int combiner = kSum;
  int64_t count = 0, rank = 0, rows = 0, buckets = 1;
  size_t cells = 0;
  std::vector<int64_t> extents;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<EmbeddingLookupSparseAttributes>());
  const int combiner = op.attributes<EmbeddingLookupSparseAttributes>().combiner;
  if (combiner < kSum || combiner > kRoot) {
    return invalid_model(format("combiner %d is unknown", combiner));
  }
  EDGE_TRY(op.expect_arity(5, 5, 1));
  for (size_t i : {kIds, kIndices, kShape}) EDGE_TRY(op.expect_input(i, {DType::kInt32}));
  for (size_t i : {kWeights, kTable}) EDGE_TRY(op.expect_input(i, {DType::kFloat32}));
  return op.expect_output(0, {DType::kFloat32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &ids = op.in(kIds).spec.shape, &indices = op.in(kIndices).spec.shape;
  const Shape& table = op.in(kTable).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> extents, op.constant_integers(kShape));
  if (ids.rank() != 1 || indices.rank() != 2 || indices[0] != ids[0] || indices[1] < 1 ||
      op.in(kWeights).spec.shape != ids || table.rank() < 2 ||
      op.in(kShape).spec.shape != Shape{indices[1]}) {
    return invalid_model(format("ids %s, indices %s and table %s do not suit each other",
                                to_string(ids).c_str(), to_string(indices).c_str(),
                                to_string(table).c_str()));
  }
  for (size_t i = 0; i + 1 < extents.size(); ++i) {
    EDGE_TRY(append_extent(extents[i], &(*shapes)[0]));
  }
  for (int i = 1; i < table.rank(); ++i) EDGE_TRY(append_extent(table[i], &(*shapes)[0]));
  return {};
}

Status prepare(PrepareContext& op) {
  const Shape& table = op.in(kTable).spec.shape;
  State& s = op.make_state<State>();
  s.combiner = op.attributes<EmbeddingLookupSparseAttributes>().combiner;
  s.count = op.in(kIds).spec.shape[0];
  s.rank = op.in(kIndices).spec.shape[1];
  s.rows = table[0];
  s.cells = static_cast<size_t>(table.count(1, table.rank()));
  EDGE_ASSIGN(s.extents, op.constant_integers(kShape));
  // The output has them all; with none of its own cells an extent may be anything.
  if (op.out(0).spec.shape.count() == 0) s.buckets = 0;
  for (size_t i = 0; s.buckets > 0 && i + 1 < s.extents.size(); ++i) s.buckets *= s.extents[i];
  return {};
}

struct Group {
  float* out = nullptr;
  float total = 0, squares = 0;
};

void finish(const State& s, const Group& g) {
  if (s.combiner == kSum || g.out == nullptr) return;
  const float divisor = s.combiner == kMean ? g.total : std::sqrt(g.squares);
  for (size_t k = 0; k < s.cells; ++k) g.out[k] /= divisor;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.buckets == 0) return;
  const int32_t *ids = run.in<int32_t>(kIds), *index = run.in<int32_t>(kIndices);
  const float *weights = run.in<float>(kWeights), *table = run.in<float>(kTable);
  float* out = run.out<float>(0);
  std::memset(out, 0, static_cast<size_t>(s.buckets) * s.cells * sizeof(float));
  Group group;
  for (int64_t i = 0; i < s.count; ++i, index += s.rank) {
    int64_t bucket = 0;
    bool inside = ids[i] >= 0 && ids[i] < s.rows;
    for (int64_t k = 0; k + 1 < s.rank; ++k) {
      const int64_t extent = s.extents[static_cast<size_t>(k)];
      inside = inside && index[k] >= 0 && index[k] < extent;
      bucket = inside ? bucket * extent + index[k] : 0;
    }
    if (!inside) {
      return run.fail(invalid_argument(format("entry %lld is outside of the table or of the output",
                                              static_cast<long long>(i))));
    }
    float* to = out + static_cast<size_t>(bucket) * s.cells;
    if (to != group.out) {
      finish(s, group);
      group = {to};
    }
    group.total += weights[i];
    group.squares += weights[i] * weights[i];
    const float* row = table + static_cast<size_t>(ids[i]) * s.cells;
    for (size_t k = 0; k < s.cells; ++k) to[k] += row[k] * weights[i];
  }
  finish(s, group);
}

}  // namespace

extern const OpDef op_embedding_lookup_sparse{check, infer, prepare, eval};

}  // namespace edge
