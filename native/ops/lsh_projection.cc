// LSH_PROJECTION: a bit for each seed, the sign of a sum over the items of the input: each item's
// fingerprint together with the seed, times the item's weight. Dense, every bit is an output;
// sparse, those of one hash function are the digits of one.
#include <cstring>

#include "ops/support/fingerprint.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

enum Input : size_t { kSeeds, kItems, kWeights };
enum Type : int8_t { kSparse = 1, kDense = 2 };

struct State {
  bool dense = false, weighted = false;
  size_t hashes = 0, bits = 0, items = 0, item_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<LshProjectionAttributes>());
  const int type = op.attributes<LshProjectionAttributes>().type;
  if (type != kSparse && type != kDense) return invalid_model(format("type %d is unknown", type));
  EDGE_TRY(op.expect_arity(2, 3, 1));
  EDGE_TRY(op.expect_input(kSeeds, {DType::kFloat32}));
  EDGE_TRY(expect_movable(op, kItems));
  if (op.input_count() > kWeights && op.has_input(kWeights)) {
    EDGE_TRY(op.expect_input(kWeights, {DType::kFloat32}));
  }
  return op.expect_output(0, {DType::kInt32});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &seeds = op.in(kSeeds).spec.shape, &items = op.in(kItems).spec.shape;
  bool fits = seeds.rank() == 2 && seeds[1] <= 32 && items.rank() >= 1 && items[0] >= 1;
  if (fits && op.input_count() > kWeights && op.has_input(kWeights)) {
    fits = op.in(kWeights).spec.shape == Shape{items[0]};
  }
  if (!fits) {
    return invalid_model(format("seeds %s and items %s, or their weights, do not suit each other",
                                to_string(seeds).c_str(), to_string(items).c_str()));
  }
  const bool dense = op.attributes<LshProjectionAttributes>().type == kDense;
  return append_extent(dense ? seeds.count() : seeds[0], &(*shapes)[0]);
}

Status prepare(PrepareContext& op) {
  const TensorSpec &seeds = op.in(kSeeds).spec, &items = op.in(kItems).spec;
  State& s = op.make_state<State>();
  s.dense = op.attributes<LshProjectionAttributes>().type == kDense;
  s.weighted = op.input_count() > kWeights && op.has_input(kWeights);
  s.hashes = static_cast<size_t>(seeds.shape[0]);
  s.bits = static_cast<size_t>(seeds.shape[1]);
  s.items = static_cast<size_t>(items.shape[0]);
  s.item_bytes =
      static_cast<size_t>(items.shape.count(1, items.shape.rank())) * dtype_size(items.dtype);
  op.scratch_per_worker = sizeof(float) + s.item_bytes;
  return {};
}

uint32_t bit(const EvalContext& run, const State& s, float seed, uint8_t* key) {
  double sum = 0;
  std::memcpy(key, &seed, sizeof seed);
  const uint8_t* item = run.in<uint8_t>(kItems);
  for (size_t i = 0; i < s.items; ++i, item += s.item_bytes) {
    if (s.item_bytes) std::memcpy(key + sizeof seed, item, s.item_bytes);
    const uint64_t hash = fingerprint(key, sizeof seed + s.item_bytes);
    const double value = static_cast<double>(static_cast<int64_t>(hash));
    sum += s.weighted ? static_cast<double>(run.in<float>(kWeights)[i]) * value : value;
  }
  return sum > 0;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  run.pool().run(s.hashes, [&](size_t i, int worker) {
    uint32_t signature = 0;
    for (size_t j = 0; j < s.bits; ++j) {
      const size_t at = i * s.bits + j;
      const uint32_t b = bit(run, s, run.in<float>(kSeeds)[at], run.scratch(worker));
      if (s.dense) run.out<uint32_t>(0)[at] = b;
      signature = signature << 1 | b;
    }
    // The hash functions' ranges follow each other.
    if (!s.dense) {
      run.out<uint32_t>(0)[i] = signature + static_cast<uint32_t>(uint64_t{i} << s.bits);
    }
  });
}

}  // namespace

extern const OpDef op_lsh_projection{check, infer, prepare, eval};

}  // namespace edge
