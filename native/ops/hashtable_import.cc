// HASHTABLE_IMPORT: fills a table, unless it is filled already.
#include "ops/support/tables.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 0));
  EDGE_TRY(op.expect_input(0, {DType::kResource}));
  return expect_table_types(op.in(1).spec.dtype, op.in(2).spec.dtype);
}

Status infer(const OpView&, std::vector<Shape>*) { return {}; }

Status prepare(PrepareContext& op) {
  if (op.in(1).spec.shape != op.in(2).spec.shape) {
    return invalid_model(format("%s keys for %s values", to_string(op.in(1).spec.shape).c_str(),
                                to_string(op.in(2).spec.shape).c_str()));
  }
  return prepare_table(op, 1, 2);
}

void eval(const EvalContext& run) {
  HashTable* table = table_of(run);
  if (!table || table->imported) return;
  const TableUse& use = run.state<TableUse>();
  for (int64_t i = 0; i < use.count; ++i) {
    if (use.key == DType::kInt64) {
      table->strings.emplace(run.in<int64_t>(1)[i], Strings(run.in<uint8_t>(2))[i]);
    } else {
      table->numbers.emplace(Strings(run.in<uint8_t>(1))[i], run.in<int64_t>(2)[i]);
    }
  }
  table->imported = true;
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_hashtable_import = make_def();

}  // namespace edge
