// EMBEDDING_LOOKUP: rows of a table by their numbers. A table of 8-bit or 4-bit codes gives codes,
// or floats: codes times the table's scale, or the row's own.
#include <cmath>
#include <cstring>

#include "ops/support/movement.h"

namespace edge {
namespace {

enum Input : size_t { kRows, kTable };

struct State {
  DType type = DType::kFloat32;
  bool hybrid = false;
  int64_t wanted = 0, rows = 0;
  size_t cells = 0, row_bytes = 0;
  std::vector<float> scale;  // one, or one a row
};

Status outside(int64_t row, int64_t rows) {
  return invalid_argument(format("row %lld is outside of a table of %lld",
                                 static_cast<long long>(row), static_cast<long long>(rows)));
}

bool is_hybrid(const OpView& op) { return op.in(kTable).spec.dtype != op.out(0).spec.dtype; }

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(kRows, {DType::kInt32}));
  if (!is_hybrid(op)) return expect_movable(op, kTable);
  EDGE_TRY(op.expect_input(kTable, {DType::kInt8, DType::kUInt8, DType::kInt4}));
  EDGE_TRY(op.expect_output(0, {DType::kFloat32}));
  const Quantization& q = op.in(kTable).spec.quant;
  if (q.scale.empty()) return invalid_model("its table has no quantization scale");
  for (float s : q.scale) {
    if (!std::isfinite(s)) return invalid_model("its table has an infinite scale");
  }
  if (q.zero_point[0] != 0) return invalid_model("its table has a zero point other than 0");
  if (q.per_channel() && q.dimension != 0) {
    return invalid_model(format("its table has scales along axis %d", q.dimension));
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &rows = op.in(kRows).spec.shape, &table = op.in(kTable).spec.shape;
  const Quantization& q = op.in(kTable).spec.quant;
  if (rows.rank() != 1 || table.rank() < 2) {
    return invalid_model(
        format("rows %s of a table %s", to_string(rows).c_str(), to_string(table).c_str()));
  }
  if (is_hybrid(op) && q.per_channel() && q.scale.size() != static_cast<size_t>(table[0])) {
    return invalid_model(format("%zu scales for %d rows", q.scale.size(), table[0]));
  }
  (*shapes)[0] = table;
  (*shapes)[0][0] = rows[0];
  return {};
}

Status prepare(PrepareContext& op) {
  const TensorSpec& table = op.in(kTable).spec;
  State& s = op.make_state<State>();
  s.type = table.dtype;
  s.hybrid = is_hybrid(op);
  s.wanted = op.in(kRows).spec.shape[0];
  s.rows = table.shape[0];
  s.cells = static_cast<size_t>(table.shape.count(1, table.shape.rank()));
  s.row_bytes = s.cells * dtype_size(table.dtype);
  if (s.hybrid) s.scale = table.quant.scale;
  const Value& given = op.in(kRows);
  for (int64_t i = 0; given.constant && i < s.wanted; ++i) {
    int32_t row;
    std::memcpy(&row, given.data.data() + i * static_cast<int64_t>(sizeof row), sizeof row);
    if (row < 0 || row >= s.rows) return invalid_model(outside(row, s.rows).message());
  }
  return {};
}

void decode(const State& s, const uint8_t* table, size_t row, float* out) {
  const float scale = s.scale[s.scale.size() > 1 ? row : 0];
  const size_t first = row * s.cells;
  if (s.type != DType::kInt4) {
    const int8_t* codes = reinterpret_cast<const int8_t*>(table) + first;
    for (size_t k = 0; k < s.cells; ++k) out[k] = static_cast<float>(codes[k]) * scale;
    return;
  }
  // Rows of an odd number of codes begin within a byte: TFLite takes the byte's first code for it.
  const uint8_t* halves = table + first / 2;
  for (size_t k = 0; k < s.cells; ++k) {
    const int half = halves[k / 2] >> (k % 2 ? 4 : 0) & 15;
    out[k] = static_cast<float>(half < 8 ? half : half - 16) * scale;
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int32_t* rows = run.in<int32_t>(kRows);
  const uint8_t* table = run.in<uint8_t>(kTable);
  for (int64_t i = 0; i < s.wanted; ++i) {
    if (rows[i] < 0 || rows[i] >= s.rows) return run.fail(outside(rows[i], s.rows));
    const size_t row = static_cast<size_t>(rows[i]), to = static_cast<size_t>(i);
    if (s.hybrid) {
      decode(s, table, row, run.out<float>(0) + to * s.cells);
    } else if (s.row_bytes > 0) {
      std::memcpy(run.out<uint8_t>(0) + to * s.row_bytes, table + row * s.row_bytes, s.row_bytes);
    }
  }
}

}  // namespace

extern const OpDef op_embedding_lookup{check, infer, prepare, eval};

}  // namespace edge
