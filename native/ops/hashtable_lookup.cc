// HASHTABLE_LOOKUP: rows of an array by their keys, which are in ascending order; zeros, or empty
// strings, for keys that it lacks. The second output says which were found.
#include <cstring>

#include "ops/support/movement.h"
#include "ops/support/strings.h"

namespace edge {
namespace {

enum Input : size_t { kWanted, kKeys, kRows };

struct State {
  size_t wanted = 0, keys = 0, row_bytes = 0;
  int64_t row_count = 0;  // elements
  bool strings = false;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 2));
  EDGE_TRY(op.expect_input(kWanted, {DType::kInt32}));
  EDGE_TRY(op.expect_input(kKeys, {DType::kInt32}));
  EDGE_TRY(expect_movable(op, kRows, /*strings=*/true));
  EDGE_TRY(op.expect_output(0, {op.in(kRows).spec.dtype}));
  return op.expect_output(1, {DType::kUInt8});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &wanted = op.in(kWanted).spec.shape, &keys = op.in(kKeys).spec.shape;
  const Shape& rows = op.in(kRows).spec.shape;
  if (wanted.rank() != 1 || keys.rank() != 1 || rows.rank() < 1 || rows[0] != keys[0]) {
    return invalid_model(format("%s keys of %s for values %s", to_string(wanted).c_str(),
                                to_string(keys).c_str(), to_string(rows).c_str()));
  }
  (*shapes)[0] = rows;
  (*shapes)[0][0] = wanted[0];
  (*shapes)[1] = wanted;
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& rows = op.in(kRows).spec;
  State& s = op.make_state<State>();
  s.wanted = static_cast<size_t>(op.in(kWanted).spec.shape[0]);
  s.keys = static_cast<size_t>(rows.shape[0]);
  s.strings = rows.dtype == DType::kString;
  s.row_count = rows.shape.count(1, rows.shape.rank());
  s.row_bytes = static_cast<size_t>(s.row_count) * dtype_size(rows.dtype);
  return {};
}

// Halves the interval, as bsearch() does: of equal keys, the same one is found.
size_t find(const int32_t* keys, size_t count, int32_t wanted) {
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (keys[middle] == wanted) return middle;
    (wanted < keys[middle] ? high : low) = wanted < keys[middle] ? middle : middle + 1;
  }
  return count;
}

void eval_strings(const EvalContext& run) {
  const State& s = run.state<State>();
  const Strings rows(run.in<uint8_t>(kRows));
  const auto row_of = [&](size_t i) {
    return find(run.in<int32_t>(kKeys), s.keys, run.in<int32_t>(kWanted)[i]);
  };
  for (size_t i = 0; i < s.wanted; ++i) run.out<uint8_t>(1)[i] = row_of(i) < s.keys;
  const int64_t count = static_cast<int64_t>(s.wanted) * s.row_count;
  write_strings(run, 0, count, [&](int64_t k) {
    const size_t row = row_of(static_cast<size_t>(k / s.row_count));
    if (row == s.keys) return std::string_view();
    return rows[static_cast<int64_t>(row) * s.row_count + k % s.row_count];
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.strings) return eval_strings(run);
  uint8_t* out = run.out<uint8_t>(0);
  for (size_t i = 0; i < s.wanted; ++i, out += s.row_bytes) {
    const size_t row = find(run.in<int32_t>(kKeys), s.keys, run.in<int32_t>(kWanted)[i]);
    run.out<uint8_t>(1)[i] = row < s.keys;
    if (s.row_bytes == 0) continue;
    if (row < s.keys) {
      std::memcpy(out, run.in<uint8_t>(kRows) + row * s.row_bytes, s.row_bytes);
    } else {
      std::memset(out, 0, s.row_bytes);
    }
  }
}

}  // namespace

extern const OpDef op_hashtable_lookup{check, infer, prepare, eval};

}  // namespace edge
